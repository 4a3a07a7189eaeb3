# shellcheck shell=bash disable=SC2154
# Fetches the parts into the cache that all stacks share. Sourced by ../stack.
#
# A part is in $STACK_CACHE/PART-VERSION with a file .whole in it. It is made under another name and renamed when it is
# complete, so an interrupted fetch leaves nothing that looks finished. Maven downloads into a repository of its own in
# the cache, so that ~/.m2 does not grow by 300 MB. A truncated file there is found by its checksum and fetched again. The
# repository is deleted when all parts are there.

repository() { printf '%s' "$STACK_CACHE/.maven"; }

# Prints the folder of part $1, version $2.
home_of() { printf '%s' "$STACK_CACHE/$1-$2"; }

# fetch PART VERSION WHAT: makes sure that the part is in the cache; finish_PART, called with its folder, completes it.
fetch() {
  local home
  home=$(home_of "$1" "$2")
  [[ ! -f $home/.whole ]] || return 0
  mkdir -p "$STACK_CACHE"
  (
    lock 9 "another stack is fetching"
    [[ -f $home/.whole ]] || download "$@" 9>&-
  ) 9>>"$STACK_CACHE/.lock"
}

download() {
  local part=$1 version=$2 what=$3 home new log try whole='' start=$SECONDS
  home=$(home_of "$part" "$version")
  new="$STACK_CACHE/.new-$part" log="$STACK_CACHE/fetch-$part.log"
  command -v "$MVN" >/dev/null || die "no Maven ($MVN), which downloads $part. Debian, Ubuntu: apt-get install maven. macOS: brew install maven. One in an unusual place: MVN=/path/to/mvn."
  tell "$part" "fetching $version, $what, into $STACK_CACHE (once)"
  for try in 1 2; do
    rm -rf "$new"
    if maven "$part" "$version" "$new" >"$log" 2>&1; then whole=yes; else whole=''; fi
    drop_damaged "$log" || break
    whole=''
    tell "$part" "a download was damaged and has been deleted (try $try of 2)"
  done
  [[ -n $whole ]] || {
    sed -n 's/^.*\[ERROR\] \([^[].*\)/  \1/p' "$log" | grep -vi -e 're-run Maven' -e 'For more information' | head -n 4 >&2 || true
    die "Maven could not fetch $part $version; its whole answer: $log"
  }
  "finish_$part" "$new" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "$part $version cannot be set up; more in $log"; }
  touch "$new/.whole"
  rm -rf "$home" "$log"
  mv "$new" "$home"
  forget_downloads
  tell "$part" "fetched in $((SECONDS - start)) s"
}

maven() {
  # Maven itself runs on any Java found here, even if none is in PATH. -U: try again what was missing last time.
  # shellcheck disable=SC2086 # MVN_ARGS is a list of words
  JAVA_HOME=$(find_java Maven 17) "$MVN" -q -B -U -f "$here/pom/$1.xml" -Dmaven.repo.local="$(repository)" \
    -Dpart.version="$2" -Dinto="$3" ${MVN_ARGS:-} process-resources </dev/null
}

# drop_damaged LOG: removes downloads that do not match their checksum (Maven only warns: not every file has a checksum) or
# that Maven could not unpack; true if it removed any.
drop_damaged() {
  local sum file tool=sha1sum damaged
  command -v sha1sum >/dev/null || tool=shasum
  damaged=$(
    sed -n 's/.*Error unpacking file: \(.*\) to: .*/\1/p' "$1"
    find "$(repository)" -name '*.sha1' 2>/dev/null | while IFS= read -r sum; do
      file=${sum%.sha1}
      if [[ -f $file ]]; then
        read -r sum _ <"$sum" || true # most have no line end
        printf '%s  %s\n' "$sum" "$file"
      fi
    done | "$tool" -c 2>/dev/null | sed -n 's/: FAILED.*//p'
  )
  [[ -n $damaged ]] || return 1
  while IFS= read -r file; do rm -f "$file" "$file.sha1"; done <<<"$damaged"
}

# Deletes the downloads when every part is there.
forget_downloads() {
  local part
  for part in "${parts[@]}"; do
    [[ -f $(home_of "$part" "$(version_of "$part")")/.whole ]] || return 0
  done
  rm -rf "$(repository)"
}

# lock FD WHO: waits for the lock on the open file FD. perl does the same where there is no flock (macOS).
lock() {
  # shellcheck disable=SC2016 # that is perl
  local how='use Fcntl ":flock"; open(my $f, ">&=", $ARGV[0]) or die; exit !flock($f, LOCK_EX | ($ARGV[1] ? LOCK_NB : 0))'
  if command -v flock >/dev/null; then
    flock -n "$1" || { say "stack: waiting: $2"; flock "$1"; }
  else
    perl -e "$how" "$1" 1 || { say "stack: waiting: $2"; perl -e "$how" "$1" 0; }
  fi
}
