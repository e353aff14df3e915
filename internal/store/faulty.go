package store

// Fault decides about each step on disk before it is done: what it returns is the step's error. The steps are mkdir, create,
// write, sync, rename, remove and sync-folder.
type Fault func(step, path string) error

// OpenFaulty is Open on a disk whose steps fail as fault says. With it others can see what a full or a dying disk makes of
// their commands. Fault may be called from several goroutines at once.
func OpenFaulty(dir string, fault Fault) Home {
	return Home{dir: dir, disk: refusingDisk{disk: realDisk{}, fault: fault}}
}

// refusingDisk lets the steps of another disk fail.
type refusingDisk struct {
	disk
	fault Fault
}

func (d refusingDisk) mkdir(path string) error {
	if err := d.fault("mkdir", path); err != nil {
		return err
	}
	return d.disk.mkdir(path)
}

func (d refusingDisk) create(path string) (file, error) {
	if err := d.fault("create", path); err != nil {
		return nil, err
	}
	f, err := d.disk.create(path)
	if err != nil {
		return nil, err
	}
	return refusingFile{f, path, d.fault}, nil
}

func (d refusingDisk) rename(from, to string) error {
	if err := d.fault("rename", to); err != nil {
		return err
	}
	return d.disk.rename(from, to)
}

func (d refusingDisk) remove(path string) error {
	if err := d.fault("remove", path); err != nil {
		return err
	}
	return d.disk.remove(path)
}

func (d refusingDisk) syncDir(path string) error {
	if err := d.fault("sync-folder", path); err != nil {
		return err
	}
	return d.disk.syncDir(path)
}

// refusingFile writes half of what it is given when a write fails, as a disk does that fills up.
type refusingFile struct {
	file
	path  string
	fault Fault
}

func (f refusingFile) Write(b []byte) (int, error) {
	if err := f.fault("write", f.path); err != nil {
		n, writeErr := f.file.Write(b[:len(b)/2])
		if writeErr != nil {
			return n, writeErr
		}
		return n, err
	}
	return f.file.Write(b)
}

func (f refusingFile) Sync() error {
	if err := f.fault("sync", f.path); err != nil {
		return err
	}
	return f.file.Sync()
}
