package stack

import "time"

// Identity says which deployment something belongs to.
type Identity struct {
	ID      string `json:"id"` // made at birth: names may be used again, IDs never
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Tier    string `json:"tier"`
}

// Names of the tags that every resource of a deployment carries, so that the account itself is the second copy of the
// state.
const (
	TagStack   = "geusemaker:stack"
	TagName    = "geusemaker:name"
	TagKey     = "geusemaker:key"
	TagTier    = "geusemaker:tier"
	TagVersion = "geusemaker:version"
	// TagReuses names what of the user's own the deployment uses; only deployments that do carry it.
	TagReuses = "geusemaker:reuses"
)

// Facts is what was found out about the account and the market before a plan was made. It is kept in the state, so that a
// resumed deploy decides as the first one did: an image that AWS published since does not replace a machine.
type Facts struct {
	Account    string   `json:"account"`
	Partition  string   `json:"partition"` // aws, aws-us-gov or aws-cn
	Region     string   `json:"region"`
	Zones      []string `json:"zones"`    // best first
	VPCCIDR    string   `json:"vpc_cidr"` // free of overlap when found
	CallerCIDR string   `json:"caller_cidr,omitempty"`
	Reuse      Reuse    `json:"reuse,omitzero"`
	Image      Image    `json:"image"`
	Offers     []Offer  `json:"offers"` // best first
	// Resized are what the machine was made in the console, at its price. Nothing is launched from them.
	Resized  []Offer          `json:"resized,omitempty"`
	Prices   map[string]Price `json:"prices"`
	FoundAt  time.Time        `json:"found_at"`
	Warnings []string         `json:"warnings,omitempty"`
}

// Image is a resolved Amazon Machine Image.
type Image struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Owner        string    `json:"owner,omitempty"`
	OSType       string    `json:"os_type"`
	Architecture string    `json:"architecture"`
	AMIType      string    `json:"ami_type"`
	CreatedAt    time.Time `json:"created_at"`
	Source       string    `json:"source"` // the parameter or the search that led to it
	RootDevice   string    `json:"root_device"`
	RootGiB      int       `json:"root_gib"` // size of its snapshot: no root volume may be smaller
	LoginUser    string    `json:"login_user"`
}

// Offer is one pool of capacity: a type in a zone in a market, at a price.
type Offer struct {
	Type      string    `json:"type"`
	Zone      string    `json:"zone"`
	Market    string    `json:"market"` // spot or on-demand
	Hourly    Money     `json:"hourly"`
	OnDemand  Money     `json:"on_demand"` // what the same type costs without an interruption
	VCPUs     int       `json:"vcpus"`
	MemoryMiB int       `json:"memory_mib"`
	Source    string    `json:"source"`
	AsOf      time.Time `json:"as_of"`
	Guess     bool      `json:"guess,omitempty"` // no price list could be asked
}

// Spot is the market of spare capacity, as Offer.Market names it.
const Spot = "spot"

// Price is the list price of one unit of something.
type Price struct {
	Amount Money     `json:"amount"`
	Unit   string    `json:"unit"` // GB-month, MiB/s-month, hour ...
	Source string    `json:"source"`
	AsOf   time.Time `json:"as_of,omitzero"` // zero: nobody wrote down when it was read
	Guess  bool      `json:"guess,omitempty"`
}

// Keys of Facts.Prices.
const (
	PriceGP3Storage    = "ebs-gp3-storage"
	PriceGP3Throughput = "ebs-gp3-throughput"
	PriceEFSStorage    = "efs-standard-storage"
	PriceEFSRead       = "efs-elastic-read"
	PriceEFSWrite      = "efs-elastic-write"
	PriceEFSBackup     = "efs-backup-storage"
	PricePublicIPv4    = "public-ipv4"
	PriceTransferOut   = "data-transfer-out"

	// Of the edge, which tiers have that are not available yet.
	PriceBalancer        = "alb-hour"
	PriceBalancerUse     = "alb-lcu"
	PriceNAT             = "nat-gateway-hour"
	PriceNATUse          = "nat-gateway-data"
	PriceDistributionOut = "cloudfront-transfer-out"
)
