# Ends its parent process if that has sent no line for a minute: its event loop is blocked. A process of its own can do
# that with a fifth of the memory of a thread.
#
#   bash watchdog.sh PATIENCE CONFIRM    in seconds
#
# A machine that slept, or a container that was frozen, is late in everything: when it continues, the time of this
# process has run out too. So it waits three more times for a line, and never counts while the parent is stopped.

# A signal for the whole group or unit is for the parent, which ends first.
trap '' HUP INT TERM

wait=$1
silent=0
while true; do
  read -r -t "$wait"
  status=$?
  if [[ $status -eq 0 ]]; then
    wait=$1 silent=0
  elif [[ $status -le 128 ]]; then
    exit 0 # End of input: the parent has ended.
  elif [[ $(</proc/$PPID/stat) == *') '[Tt]' '* ]]; then
    wait=$2 silent=0 # Stopped by a signal or a debugger.
  elif [[ $silent -lt 3 ]]; then
    wait=$2 silent=$((silent + 1))
  else
    break
  fi
done
# First, because the reader of the log may be what the parent waits for.
kill -KILL "$PPID"
TZ=UTC0 printf '{"level":60,"time":"%(%Y-%m-%dT%H:%M:%SZ)T","msg":"%s"}\n' -1 \
  'The event loop has not turned for a minute: this process ends, to be started again'
