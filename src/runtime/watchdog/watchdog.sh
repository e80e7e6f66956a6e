# Ends its parent process if the parent has sent no line for a minute, because its event loop is then blocked. This
# process uses a fraction of the memory of a thread.
#
#   bash watchdog.sh PATIENCE CONFIRM PREFIX 3>LOG
#
# PATIENCE and CONFIRM are in seconds. PREFIX precedes the line in the log.
#
# After a machine slept or a container was frozen, the time limit of this process has passed as well. Therefore, it
# waits three more times for a line, and it never counts while the parent is stopped.
#
# bash compares the limit of "read" with the wall clock and drops a line that arrives after the wall clock was set
# forward. Three times CONFIRM must be longer than two lines are apart, so that the next line still arrives in time.

# A signal for the whole group or unit is for the parent, which ends first.
trap '' HUP INT TERM

wait=$1
silent=0
while true; do
  read -r -t "$wait"
  status=$?
  # Read without a subprocess, because none may be left.
  read -r stat <"/proc/$PPID/stat"
  if [[ $status -eq 0 ]]; then
    wait=$1 silent=0
  elif [[ $status -le 128 ]]; then
    exit 0 # End of input: the parent has ended.
  elif [[ ${stat-} == *') '[Tt]' '* ]]; then
    wait=$2 silent=0 # Stopped by a signal or a debugger.
  elif [[ $silent -lt 3 ]]; then
    wait=$2 silent=$((silent + 1))
  else
    break
  fi
done
# First, because the reader of the log may be what the parent waits for.
kill -KILL "$PPID"
TZ=UTC0 printf '%s{"level":"fatal","time":"%(%Y-%m-%dT%H:%M:%SZ)T","event":"loop-blocked","msg":"%s"}\n' "$3" -1 \
  'The event loop has been blocked for a minute. The process ends so that it is restarted' >&3
