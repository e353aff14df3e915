package stack

import (
	"slices"
	"time"
)

// Report is what the machine says of itself: the one JSON object that its `report OFFSET` command prints. It is kept small
// enough for one Systems Manager reply, which is cut at 24,000 characters (SSM API, GetCommandInvocation,
// StandardOutputContent).
type Report struct {
	Version  int             `json:"version"` // 1
	Time     time.Time       `json:"time"`
	Complete bool            `json:"complete"` // the bootstrap ended and every service was healthy
	Failed   bool            `json:"failed"`   // the bootstrap gave up; the failed step says why
	Steps    []BootStep      `json:"steps"`
	Services []ServiceReport `json:"services"`
	Pulls    []ImagePull     `json:"pulls"`
	Disks    []Disk          `json:"disks"`
	Log      LogPiece        `json:"log"`
}

// BootStep is one step of the bootstrap.
type BootStep struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"` // running, done or failed
	Seconds float64 `json:"seconds"`
	Detail  string  `json:"detail,omitempty"`
}

// ServiceReport is one container's health as Docker sees it.
type ServiceReport struct {
	Service string `json:"service"`
	Health  Health `json:"health"`
	Detail  string `json:"detail,omitempty"`
	Image   string `json:"image,omitempty"`
}

// ImagePull tells how far the download of one container image is.
type ImagePull struct {
	Image  string `json:"image"`
	Status string `json:"status"` // waiting, pulling, done or failed
	Done   int64  `json:"done"`   // bytes
	Total  int64  `json:"total"`  // bytes; 0 while unknown
}

// Disk is one mount that holds data.
type Disk struct {
	Mount string `json:"mount"`
	Kind  string `json:"kind"` // root, data or files
	Size  int64  `json:"size"` // bytes
	Used  int64  `json:"used"` // bytes
}

// LogPiece is a part of the bootstrap log. Ask again from Next to go on; Next == Size means that the end was reached.
type LogPiece struct {
	Offset int64  `json:"offset"`
	Next   int64  `json:"next"`
	Size   int64  `json:"size"`
	Text   string `json:"text"`
}

// Health is the state of one service.
type Health string

// The healths that the command line promises.
const (
	Healthy       Health = "healthy"
	Unhealthy     Health = "unhealthy"
	Starting      Health = "starting"
	Unreachable   Health = "unreachable"
	HealthUnknown Health = "unknown"
)

// longest bounds what a machine may say that something took, in seconds: no boot takes a month.
const longestStep = 30 * 24 * 3600

// Sane is the report with what cannot be put right. Who broke into a machine decides what it says; whoever reads a report may
// rely on healths that the command line promises, on times and sizes that are not negative, and on a log that goes forward
// from the offset at which it was asked for.
func (r Report) Sane(offset int64) Report {
	r.Steps, r.Services, r.Pulls, r.Disks = slices.Clone(r.Steps), slices.Clone(r.Services), slices.Clone(r.Pulls), slices.Clone(r.Disks)
	for i := range r.Steps {
		r.Steps[i].Seconds = min(max(r.Steps[i].Seconds, 0), longestStep)
	}
	for i := range r.Services {
		switch r.Services[i].Health {
		case Healthy, Unhealthy, Starting, Unreachable:
		default:
			r.Services[i].Health = HealthUnknown
		}
	}
	for i := range r.Pulls {
		r.Pulls[i].Total = max(r.Pulls[i].Total, 0)
		r.Pulls[i].Done = max(r.Pulls[i].Done, 0)
	}
	for i := range r.Disks {
		r.Disks[i].Size = max(r.Disks[i].Size, 0)
		r.Disks[i].Used = max(r.Disks[i].Used, 0)
	}
	r.Log.Offset = max(r.Log.Offset, 0)
	r.Log.Next = max(r.Log.Next, r.Log.Offset)
	r.Log.Size = max(r.Log.Size, r.Log.Next)
	return r
}
