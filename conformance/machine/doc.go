// Package machine runs the machine for real: it boots a root file system with systemd and cloud-init as its first process,
// in namespaces of its own, gives it the user data that the built binary rendered, and plays the world around it: metadata
// service, Systems Manager, package mirrors, downloads, the registry of images, the block volumes and the file system.
//
// Real are systemd, udev, cloud-init, apt with a signed repository, Docker, containerd, compose, Caddy, PostgreSQL, ext4 on
// loop devices, mounting by UUID, and every line of the scripts. Stand-ins are yum and amazon-linux-extras, the EFS mount
// helper, which shows a folder, lsblk's names of volumes, and the programs in the other containers (stub/).
//
// It is a module of its own because Caddy and compose are built from it, at the versions that the product pins: none of
// what they need belongs into the product's own module. The tests need root and a network namespace of their own; setup.sh
// prepares the rest and `make machine` runs it all.
package machine
