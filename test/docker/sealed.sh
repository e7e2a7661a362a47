# Runs the package as a container engine would, in namespaces that unshare has made: PID 1, user 1000, no capability and no way to gain
# one, a read-only file system, a /tmp that cannot be executed from. $1 is the package, $2 its dependencies, $3 the node to run it
# with, and the rest what node gets. Only results/ of the package can be written to.
set -eu
package=$1 modules=$2 node=$3
shift 3
mount --make-rprivate /
mount --bind "$modules" "$package/node_modules"
mount --bind "$node" "$package/node"
mount --bind "$package/results" "$package/results"
mount --rbind "$package" /mnt
mount -o remount,bind,ro /mnt
mount -t tmpfs -o noexec,nosuid,nodev,size=16m tmpfs /tmp
mount -o remount,bind,ro /
cd /mnt/results
exec setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs /mnt/node "$@"
