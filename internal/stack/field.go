package stack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Field describes one key of Config: what it is for, what it takes and what it is when nobody says. The table of Fields
// is the only place that knows the keys; flags, environment variables, files, help, schema and documentation come from it.
type Field struct {
	Key     string
	Aliases []string // other spellings that are read
	Group   string   // heading in help
	Help    string
	Type    string   // string, bool, int, usd, list, map or env
	Values  []string // the closed set of values; nil when open
	// Min and Max bound an int. Without a Default, 0 means that nobody says.
	Min, Max int
	Default  string

	value     func(*Config) value
	translate func(key string, raw any) any // from the meaning of an alias to that of the key
}

// Flag is the spelling of the key on the command line.
func (f Field) Flag() string { return strings.ReplaceAll(f.Key, "_", "-") }

// Env is the environment variable of the key.
func (f Field) Env() string { return "GEUSEMAKER_" + strings.ToUpper(f.Key) }

// Fields lists the keys in the order in which help and config files show them.
func Fields() []Field { return slices.Clone(fields()) }

// fields are the keys, made once: every value of every record that is read is found among them.
var fields = sync.OnceValue(func() []Field {
	return slices.Concat(machineFields(), networkFields(), accessFields(), dataFields())
})

// fieldsByName are the keys by their names and aliases.
var fieldsByName = sync.OnceValue(func() map[string]Field {
	all := map[string]Field{}
	for _, f := range fields() {
		for _, name := range append([]string{f.Key}, f.Aliases...) {
			all[name] = f
		}
	}
	return all
})

func machineFields() []Field {
	const group = "Machine"
	return []Field{
		text("name", group, "name of the deployment: a lower-case letter, then letters, digits and hyphens, 2 to 30 in all", "", func(c *Config) *string { return &c.Name }, "stack_name"),
		text("region", group, "AWS region", "", func(c *Config) *string { return &c.Region }),
		choice("tier", group, "what to build: dev is one machine", TierDev, func(c *Config) *string { return &c.Tier }, TierDev, TierAutomation, TierGPU),
		choice("workload", group, "whether models run on a GPU; by default only in tier gpu", "", func(c *Config) *string { return &c.Workload }, WorkloadCPU, WorkloadGPU),
		text("instance_type", group, "EC2 instance type, or auto", Auto, func(c *Config) *string { return &c.InstanceType }),
		choice("preference", group, "how offers are ranked", "balanced", func(c *Config) *string { return &c.Preference }, "balanced", "lowest-cost", "highest-availability", "performance"),
		market(group),
		usd("max_hourly", group, "refuse a deployment that costs more than this many USD an hour", func(c *Config) *Money { return &c.MaxHourly }),
		usd("budget_monthly", group, "refuse a deployment that costs more than this many USD a month", func(c *Config) *Money { return &c.BudgetMonthly }),
		choice("os_type", group, "operating system of the image", "ubuntu-24.04", func(c *Config) *string { return &c.OSType }, "ubuntu-24.04", "ubuntu-22.04", "amazon-linux-2023", "amazon-linux-2"),
		choice("architecture", group, "processor architecture", "x86_64", func(c *Config) *string { return &c.Architecture }, "x86_64", "arm64"),
		choice("ami_type", group, "kind of image: auto is standard for cpu, base for gpu", Auto, func(c *Config) *string { return &c.AMIType }, Auto, "standard", "base", "pytorch", "tensorflow", "multi-framework"),
		flag("allow_discontinued", group, "use an image line that AWS has ended but still serves", func(c *Config) *bool { return &c.AllowDiscontinued }),
		text("ami_id", group, "an image of your own", "", func(c *Config) *string { return &c.AMIID }),
	}
}

func networkFields() []Field {
	const group = "Network"
	return []Field{
		text("vpc_id", group, "use this VPC instead of making one", "", func(c *Config) *string { return &c.VPCID }),
		text("subnet_id", group, "use this subnet for the machine", "", func(c *Config) *string { return &c.SubnetID }),
		text("security_group_id", group, "use this security group for the machine", "", func(c *Config) *string { return &c.SecurityGroupID }),
		text("efs_id", group, "use this EFS file system", "", func(c *Config) *string { return &c.EFSID }),
		text("key_pair", group, "EC2 key pair for SSH", "", func(c *Config) *string { return &c.KeyPair }, "keypair_name"),
		text("vpc_cidr", group, "address range of the VPC; auto finds a free /16", Auto, func(c *Config) *string { return &c.VPCCIDR }),
		flag("add_missing_rules", group, "add the rules that your security groups lack; they are recorded, and removed by destroy", func(c *Config) *bool { return &c.AddMissingRules }),
	}
}

func accessFields() []Field {
	const group = "Access"
	return []Field{
		choice("access", group, "direct opens the services to allow_cidrs; tunnel opens nothing and goes through SSM", AccessDirect, func(c *Config) *string { return &c.Access }, AccessDirect, AccessTunnel),
		list("allow_cidrs", group, "address ranges that may reach the services; my-ip is your own address", MyIP, func(c *Config) *[]string { return &c.AllowCIDRs }),
		flag("public", group, "let allow_cidrs and ssh_cidr hold the whole internet: 0.0.0.0/0, or half of all addresses or more", func(c *Config) *bool { return &c.Public }),
		text("ssh_cidr", group, "address range that may use SSH: none, my-ip or a CIDR", Nowhere, func(c *Config) *string { return &c.SSHCIDR }),
		choice("egress", group, "what the machine may reach: open is everything; restricted is HTTPS, HTTP, time and its file system", EgressOpen, func(c *Config) *string { return &c.Egress }, EgressOpen, EgressRestricted),
		choice("https", group, "TLS of the gateway: its own CA, off, or Let's Encrypt for domain", HTTPSInternal, func(c *Config) *string { return &c.HTTPS }, HTTPSInternal, HTTPSOff, HTTPSACME),
		text("domain", group, "host name for https: acme", "", func(c *Config) *string { return &c.Domain }),
	}
}

func dataFields() []Field {
	const group = "Data and services"
	return []Field{
		// EBS gp3 goes up to 65,536 GiB, and to 0.25 MiB/s for each of the 3,000 IOPS that are in its price (EBS user guide,
		// "General Purpose SSD volumes").
		number("root_gib", group, "size of the root volume; by default what image and stack need", "", "GiB", 8, 65536, func(c *Config) *int { return &c.RootGiB }),
		number("data_gib", group, "size of the data volume of PostgreSQL and Qdrant", "40", "GiB", 8, 65536, func(c *Config) *int { return &c.DataGiB }),
		number("data_throughput", group, "throughput of the root and the data volume", "250", "MiB/s", 125, 750, func(c *Config) *int { return &c.DataThroughput }),
		text("kms_key_id", group, "customer KMS key for the volumes and the file system", "", func(c *Config) *string { return &c.KMSKeyID }),
		choice("backup", group, "backup of the file system and of the databases", "daily", func(c *Config) *string { return &c.Backup }, "daily", "off"),
		list("models", group, "Ollama models to pull", "", func(c *Config) *[]string { return &c.Models }),
		{Key: "services", Group: group, Help: "container images by service, name=image", Type: "map", value: func(c *Config) value { return mapValue{&c.Services} }},
		{Key: "env", Group: group, Help: "extra environment by service, service.NAME=value", Type: "env", value: func(c *Config) value { return envValue{&c.Env} }},
		{Key: "tags", Group: group, Help: "extra tags for every resource, name=value", Type: "map", value: func(c *Config) value { return mapValue{&c.Tags} }},
	}
}

// market also reads use_spot, a yes or no of an older tool.
func market(group string) Field {
	f := choice("market", group, "spot capacity, on-demand capacity, or spot and then on-demand", MarketSpotFirst, func(c *Config) *string { return &c.Market }, MarketSpotFirst, MarketSpot, MarketOnDemand)
	f.Aliases = []string{"use_spot"}
	f.translate = func(key string, raw any) any {
		var spot bool
		if key != "use_spot" || (boolValue{&spot}).set(raw) != nil {
			return raw
		}
		if spot {
			return MarketSpotFirst
		}
		return MarketOnDemand
	}
	return f
}

func text(key, group, help, def string, p func(*Config) *string, aliases ...string) Field {
	return Field{
		Key: key, Aliases: aliases, Group: group, Help: help, Type: "string", Default: def,
		value: func(c *Config) value { return stringValue{p: p(c)} },
	}
}

func choice(key, group, help, def string, p func(*Config) *string, values ...string) Field {
	return Field{
		Key: key, Group: group, Help: help, Type: "string", Default: def, Values: values,
		value: func(c *Config) value { return stringValue{p(c), values} },
	}
}

func flag(key, group, help string, p func(*Config) *bool) Field {
	return Field{Key: key, Group: group, Help: help, Type: "bool", value: func(c *Config) value { return boolValue{p(c)} }}
}

func number(key, group, help, def, unit string, low, high int, p func(*Config) *int) Field {
	return Field{
		Key: key, Group: group, Help: fmt.Sprintf("%s (%s)", help, unit), Type: "int", Default: def, Min: low, Max: high,
		value: func(c *Config) value { return intValue{p(c), low, high, unit, def == ""} },
	}
}

func usd(key, group, help string, p func(*Config) *Money) Field {
	return Field{Key: key, Group: group, Help: help, Type: "usd", value: func(c *Config) value { return moneyValue{p(c)} }}
}

func list(key, group, help, def string, p func(*Config) *[]string) Field {
	return Field{Key: key, Group: group, Help: help, Type: "list", Default: def, value: func(c *Config) value { return listValue{p(c)} }}
}

// FieldFor finds a key by its name, its alias or its spelling with hyphens. An unknown key is a FieldError that names the
// nearest known one.
func FieldFor(key string) (Field, error) {
	name := strings.ReplaceAll(key, "-", "_")
	if f, ok := fieldsByName()[name]; ok {
		return f, nil
	}
	err := &FieldError{Key: key, Problem: "there is no such key", Fix: "`geusemaker config schema` lists them all"}
	if near := Nearest(name, slices.Sorted(maps.Keys(fieldsByName()))); near != "" {
		err.Fix = fmt.Sprintf("did you mean %q?", near)
	}
	return Field{}, err
}
