package stack

// storageNodes are the file system and its mount targets, one a zone and never two: those that the user's file system has are
// used, those that it lacks are made.
func storageNodes(id Identity, c Config, f Facts, net networkPlan) []Node {
	files := Node{Key: KeyFiles, Spec: FileSystem{Name: "geusemaker-" + id.Name + "-files", KMSKey: c.KMSKeyID, Backup: c.Backup != "off"}}
	if f.Reuse.Files.ID != "" {
		files = Node{Key: KeyFiles, Spec: FileSystem{}, Adopt: f.Reuse.Files.ID}
	}
	nodes := []Node{files}
	for _, subnet := range net.mounts {
		key := MountKey(subnet)
		if t, there := f.Reuse.target(net.zones[subnet]); there {
			nodes = append(nodes, Node{Key: key, Spec: MountTarget{FileSystem: KeyFiles}, Adopt: t.ID})
			continue
		}
		nodes = append(nodes, Node{Key: key, Spec: MountTarget{FileSystem: KeyFiles, Subnet: subnet, Group: KeyFilesGroup}})
	}
	return nodes
}
