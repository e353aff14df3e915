package market

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"geusemaker/internal/stack"
)

// The embedded lists: instance types of the families that suit the stack, with AWS's list prices, and the prices of what
// else a deployment pays for.
var (
	//go:embed data/instance-types.csv
	typesCSV []byte
	//go:embed data/prices.csv
	pricesCSV []byte
)

// listedAt is the day on which the prices of the instance types were read from AWS's public price list, for us-east-1.
var listedAt = time.Date(2026, time.July, 20, 0, 0, 0, 0, time.UTC)

// listedIn is the region of the embedded prices.
const listedIn = "us-east-1"

// machineType is an EC2 instance type.
type machineType struct {
	name         string
	vcpus        int
	memoryMiB    int
	architecture string
	gpus         int    // whole ones; a fraction counts as none
	gpu          string // its model; "" where there is none
	gpuMemoryMiB int    // of each
	spot         bool   // sold on the spot market
	list         stack.Money
}

// family is the part before the dot, such as m7i-flex.
func (t machineType) family() string {
	family, _, _ := strings.Cut(t.name, ".")
	return family
}

// class is the letters that begin a family: m, c, r, t, g ... They decide under which quota a type falls.
func (t machineType) class() string {
	return t.name[:strings.IndexFunc(t.name+"0", func(r rune) bool { return r < 'a' || r > 'z' })]
}

// generation is the number in a family: 7 in m7i.
func (t machineType) generation() int {
	digits := strings.TrimPrefix(t.name, t.class())
	end := strings.IndexFunc(digits+".", func(r rune) bool { return r < '0' || r > '9' })
	n, _ := strconv.Atoi(digits[:end])
	return n
}

// burstable types run at a part of their speed once their CPU credits are used up.
func (t machineType) burstable() bool { return t.class() == "t" }

// readTypes reads the list of instance types.
func readTypes() ([]machineType, error) {
	rows, err := csv.NewReader(bytes.NewReader(typesCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("list of instance types: %w", err)
	}
	var all []machineType
	for _, row := range rows[1:] {
		t := machineType{name: row[0], architecture: row[3], gpu: row[5], spot: slices.Contains(strings.Split(row[7], "/"), stack.Spot)}
		for column, p := range map[int]*int{1: &t.vcpus, 2: &t.memoryMiB, 4: &t.gpus, 6: &t.gpuMemoryMiB} {
			if *p, err = strconv.Atoi(row[column]); err != nil {
				return nil, fmt.Errorf("list of instance types: %s: %w", t.name, err)
			}
		}
		if row[8] != "" { // some are sold by capacity block only
			if t.list, err = stack.ParseMoney(row[8]); err != nil {
				return nil, fmt.Errorf("list of instance types: %s: %w", t.name, err)
			}
		}
		all = append(all, t)
	}
	return all, nil
}

// machineTypeOf reads a type that the list does not hold from EC2's description of it.
func machineTypeOf(info ec2types.InstanceTypeInfo) machineType {
	t := machineType{name: string(info.InstanceType)}
	if info.VCpuInfo != nil && info.VCpuInfo.DefaultVCpus != nil {
		t.vcpus = int(*info.VCpuInfo.DefaultVCpus)
	}
	if info.MemoryInfo != nil && info.MemoryInfo.SizeInMiB != nil {
		t.memoryMiB = int(*info.MemoryInfo.SizeInMiB)
	}
	if info.ProcessorInfo != nil {
		for _, a := range info.ProcessorInfo.SupportedArchitectures {
			if a == ec2types.ArchitectureTypeX8664 || a == ec2types.ArchitectureTypeArm64 {
				t.architecture = string(a)
			}
		}
	}
	if info.GpuInfo != nil && len(info.GpuInfo.Gpus) > 0 {
		gpu := info.GpuInfo.Gpus[0]
		t.gpu = strings.TrimSpace(aws.ToString(gpu.Name))
		t.gpus = int(aws.ToInt32(gpu.Count))
		if gpu.MemoryInfo != nil {
			t.gpuMemoryMiB = int(aws.ToInt32(gpu.MemoryInfo.SizeInMiB))
		}
	}
	t.spot = slices.Contains(info.SupportedUsageClasses, ec2types.UsageClassTypeSpot)
	return t
}

// readPrices reads the prices of what is not a machine. They were written down from AWS's public price pages of us-east-1
// without a date, so they are guesses everywhere.
func readPrices() (map[string]stack.Price, error) {
	rows, err := csv.NewReader(bytes.NewReader(pricesCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("list of prices: %w", err)
	}
	all := map[string]stack.Price{}
	for _, row := range rows[1:] {
		amount, err := stack.ParseMoney(row[1])
		if err != nil {
			return nil, fmt.Errorf("list of prices: %s: %w", row[0], err)
		}
		all[row[0]] = stack.Price{Amount: amount, Unit: row[2], Source: "price page, " + row[3], Guess: true}
	}
	return all, nil
}
