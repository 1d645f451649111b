#!/bin/sh
# A cluster of four virtual nodes on this machine, for tests of batch jobs: its own key, ports and folder, listening on
# loopback only. As root.
#   slurm_cluster.sh start DIR    prints nothing; afterwards SLURM_CONF=DIR/slurm.conf serves all of Slurm's commands
#   slurm_cluster.sh node DIR I   starts node nI again
#   slurm_cluster.sh stop DIR
# Exit status 77: Slurm is not installed, or not root.
set -eu
what=$1 dir=$2
conf=$dir/slurm.conf
node() { slurmd -f "$conf" -N "n$1"; }
case $what in
start)
    for program in slurmctld slurmd sbatch munged; do command -v $program >/dev/null || { echo "$program is not installed"; exit 77; }; done
    [ "$(id -u)" = 0 ] || { echo "not root"; exit 77; }
    host=$(hostname -s) port=${SLURM_TEST_PORT:-17830}
    mkdir -p "$dir/state" "$dir/spool/n1" "$dir/spool/n2" "$dir/spool/n3" "$dir/spool/n4"
    mkdir -m 700 "$dir/munge"
    dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
    chmod 400 "$dir/munge/key"
    munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" --num-threads=1 >"$dir/munge.txt" 2>&1
    cat >"$conf" <<EOF
ClusterName=joulerx
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AcctGatherEnergyType=acct_gather_energy/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
ReturnToService=2
SlurmdTimeout=10
KillWait=1
SlurmdParameters=config_overrides
NodeName=n[1-4] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 4))] CPUs=2 RealMemory=500 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
    slurmctld -f "$conf"
    for i in 1 2 3 4; do node $i; done
    for _ in $(seq 100); do
        [ "$(SLURM_CONF=$conf sinfo -h -N -o %t 2>/dev/null | grep -c '^idle$')" = 4 ] && exit 0
        sleep 0.1
    done
    tail -n 5 "$dir"/*.log
    exit 1
    ;;
node) node "$3" ;;
stop)
    for file in "$dir"/slurmd-*.pid "$dir/slurmctld.pid" "$dir/munge/pid"; do
        [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
    done
    ;;
esac
