# shellcheck shell=bash disable=SC2154
# Starts, watches and ends the processes of a stack. Sourced by ../stack.
#
# A part is one process group: its leader is started in a session of its own, and $run/PART.pid holds
#   pid=…  stamp=…  port=…
# where stamp says when that process began. If the system has since given the pid to another process, the stamp differs,
# so these functions never signal a process that this stack did not start.

say() { printf '%s\n' "$*" >&2; }
tell() { printf '%-13s %s\n' "$1" "$2" >&2; }
die() { say "stack: $*"; exit 1; }

# Prints when process $1 began; empty if it does not exist or is a zombie.
process_stamp() {
  local stat boot
  if [[ -d /proc/self ]]; then
    { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    read -r -a stat <<<"${stat##*) }" # after the name, which may hold spaces
    read -r boot </proc/sys/kernel/random/boot_id # the clock of /proc starts again when the machine boots
    [[ ${stat[0]} == Z ]] || printf '%s.%s' "${boot%%-*}" "${stat[19]}"
  else
    LC_ALL=C TZ=UTC ps -o stat=,lstart= -p "$1" 2>/dev/null | awk '$1 !~ /^Z/ { print $3 $4 "." $5 "." $6 }'
  fi
}

# True while the process group $1 has a member that is not a zombie (a container may have no process that reaps zombies).
group_alive() {
  kill -0 -- "-$1" 2>/dev/null || return 1
  command -v ps >/dev/null || return 0
  ps -A -o pgid=,stat= | awk -v group="$1" '$1 == group && $2 !~ /^Z/ { found = 1 } END { exit !found }'
}

# Prints one value of the pid file of part $1; empty if it is missing.
recorded() {
  local line
  [[ -f $run/$1.pid ]] || return 0
  while IFS= read -r line; do
    [[ $line != "$2="* ]] || printf '%s' "${line#*=}"
  done <"$run/$1.pid"
}

# Prints the pid of part $1 if it runs and belongs to this stack; else nothing.
running_pid() {
  local pid
  pid=$(recorded "$1" pid)
  [[ -n $pid && $(process_stamp "$pid") == "$(recorded "$1" stamp)" ]] && printf '%s' "$pid"
  return 0
}

# Begins an empty log for part $1, and keeps the log of the run before.
new_log() {
  [[ ! -s $logs/$1.log ]] || mv -f "$logs/$1.log" "$logs/$1.log.1"
  : >>"$logs/$1.log"
}

# launch PART PORT COMMAND...: starts the command detached, with its output in the part's log, and writes the pid file.
launch() {
  local part=$1 port=$2 log pid
  shift 2
  log="$logs/$part.log"
  new_log "$part"
  (
    # Closes the caller's files: a pipe whose reader waits for its end, a lock.
    for fd in /dev/fd/*; do
      fd=${fd##*/}
      ((fd <= 2)) || eval "exec $fd>&-"
    done
    if command -v setsid >/dev/null; then
      exec setsid "$@"
    fi
    exec perl -e 'use POSIX; POSIX::setsid(); exec @ARGV or die "$ARGV[0]: $!\n"' "$@" # macOS has no setsid
  ) >>"$log" 2>&1 </dev/null &
  pid=$!
  printf 'pid=%s\nstamp=%s\nport=%s\n' "$pid" "$(process_stamp "$pid")" "$port" >"$run/$part.pid"
  disown "$pid" 2>/dev/null || true # bash prints nothing when it ends
}

# end PART SIGNAL GRACE: sends the signal to the whole group, and KILL after GRACE seconds; returns when all are gone.
end() {
  local part=$1 signal=$2 deadline=$((SECONDS + $3)) pid
  pid=$(running_pid "$part")
  if [[ -z $pid ]]; then
    outlive "$part"
    rm -f "$run/$part.pid"
    tell "$part" "not running"
    return 0
  fi
  kill "-$signal" -- "-$pid" 2>/dev/null || true
  while group_alive "$pid"; do
    if ((SECONDS >= deadline)); then
      tell "$part" "did not end within $3 s: killed"
      kill -KILL -- "-$pid" 2>/dev/null || true
      deadline=$((SECONDS + 60))
    fi
    sleep 0.1
  done
  rm -f "$run/$part.pid"
  tell "$part" "stopped (pid $pid)"
}

# If another process has killed the leader, the processes that it started end by themselves within a moment (Elasticsearch's
# server does so without its launcher). This waits for them, since only then ports and data are free.
outlive() {
  local pid deadline=$((SECONDS + 20))
  pid=$(recorded "$1" pid)
  [[ -n $pid && -z $(process_stamp "$pid") ]] || return 0 # another process may have the number by now
  while group_alive "$pid" && ((SECONDS < deadline)); do sleep 0.1; done
}

# True if a program listens on port $1 of 127.0.0.1, and not only for the moment in which another call tests the port.
port_taken() {
  local try
  for try in 1 2 3; do
    ((try == 1)) || sleep 0.2
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 1
  done
}

# Prints a free port: below the range from which the system takes the ports of outgoing connections, and outside the range
# from which tests take those of parts that are restarted on the same port (tests/src/ports.rs).
free_port() {
  local port
  while :; do
    port=$((10000 + RANDOM % 10000))
    port_taken "$port" || break
  done
  printf '%s' "$port"
}

# Prints the status of GET $2 on port $1, or 000 without an answer. It does not use curl, which not every machine has.
http_status() {
  local line=''
  {
    exec 3<>"/dev/tcp/127.0.0.1/$1" &&
      printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n' "$2" >&3 &&
      IFS= read -r -t 5 line <&3
  } 2>/dev/null || true
  exec 3>&- 2>/dev/null || true
  [[ $line == HTTP/* ]] && printf '%s' "${line:9:3}" || printf '000'
}
