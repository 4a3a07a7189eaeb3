# shellcheck shell=bash
# Finds a Java that fits a part. Sourced by ../stack.

# Prints all places where a Java may be, the caller's own choice first: "named HOME", then "known HOME".
java_homes() {
  local home
  [[ -z ${PENSTOCK_JAVA:-} ]] || printf 'named %s\n' "$PENSTOCK_JAVA"
  [[ -z ${JAVA_HOME:-} ]] || printf 'named %s\n' "$JAVA_HOME"
  if home=$(command -v java); then
    home=$(real_path "$home")
    printf 'named %s\n' "${home%/bin/java}"
  fi
  for home in ${PENSTOCK_JAVA_DIRS-/usr/lib/jvm/* /opt/* ~/.sdkman/candidates/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home}; do
    printf 'known %s\n' "$home"
  done
}

# readlink -f, which older macOS lacks.
real_path() {
  local path=$1 target
  while target=$(readlink "$path"); do
    case $target in
      /*) path=$target ;;
      *) path=$(dirname "$path")/$target ;;
    esac
  done
  printf '%s/%s' "$(cd "$(dirname "$path")" && pwd -P)" "$(basename "$path")"
}

# Prints the major version of the Java in home $1, from its release file, else by running it. Empty if there is no Java.
java_major() {
  local version=''
  [[ -x $1/bin/java ]] || return 0
  [[ ! -f $1/release ]] || version=$(sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9._]*\).*/\1/p' "$1/release")
  [[ -n $version ]] || version=$("$1/bin/java" -version 2>&1 | sed -n 's/.*version "\([0-9._]*\).*/\1/p' | head -n 1)
  version=${version#1.} # 1.8 is 8
  printf '%s' "${version%%[._]*}"
}

# find_java PART LEAST [javac]: prints a home with at least that version (and a compiler), or says what is missing. Takes the
# first fitting Java that the caller named, else the oldest fitting one, which is closest to what the part was built for.
find_java() {
  local part=$1 least=$2 tool=${3:-java} how home major best='' best_major=999 found='' runtime=''
  while read -r how home; do
    major=$(java_major "$home")
    [[ -n $major ]] || continue
    case $found in *" $home"*) ;; *) found+=", $major in $home" ;; esac
    ((major >= least && major < best_major)) || continue
    if [[ ! -x $home/bin/$tool ]]; then
      runtime=$home
      continue
    fi
    best=$home best_major=$major
    [[ $how == known ]] || break
  done < <(java_homes)
  if [[ -n $best ]]; then
    printf '%s' "$best"
    return
  fi
  if [[ -n $runtime ]]; then
    say "stack: $part needs a JDK (one with $tool), version $least or newer; $runtime is a runtime only"
  else
    [[ -n $found ]] || found=', none'
    say "stack: $part needs Java $least or newer; found: ${found#, }"
  fi
  return 1
}

java_advice() {
  say "  One JDK, 21 or newer, does for all parts. Debian 13, Ubuntu 24.04: apt-get install openjdk-21-jdk-headless." \
    "macOS: brew install --cask temurin. Others: https://adoptium.net. In an unusual place: PENSTOCK_JAVA=/path/to/jdk."
}
