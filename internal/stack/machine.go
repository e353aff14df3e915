package stack

// Machine is all that the machine's files are made from: the host room turns it into user data. It holds no secret; the
// machine fetches those itself from the parameter named here.
type Machine struct {
	StackID   string
	StackName string
	Version   string // of the tool that rendered the files
	Region    string

	Tier         string
	Workload     string // cpu or gpu
	OSType       string
	Architecture string // x86_64 or arm64
	MemoryMiB    int    // of the instance type; sets the containers' limits

	SecretParameter string            // name of the SSM SecureString
	FileSystemID    string            // EFS; mounted with TLS and IAM
	DataVolume      bool              // an EBS volume will be attached for PostgreSQL and Qdrant
	HTTPS           string            // internal, off or acme
	Domain          string            // for acme
	Access          string            // direct or tunnel
	Models          []string          // for Ollama to pull after it is well
	Images          map[string]string // service -> image, where the user overrides our pin
	Env             map[string]map[string]string
	Backup          string // daily or off
}
