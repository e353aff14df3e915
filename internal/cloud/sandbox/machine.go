package sandbox

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"geusemaker/internal/stack"
)

// machine is what runs on an instance whose user data is ours. All that it says follows from when it started.
type machine struct {
	instance *instance
	first    time.Time     // when it first ran
	since    time.Time     // when it last started to run
	fails    string        // the boot step that a fault ends
	storage  time.Duration // that the storage step takes
	gpu      bool
	rootGiB  int32
	dataGiB  int32 // 0 without a data volume
}

// bootStep is one step of the bootstrap with the seconds it takes.
type bootStep struct {
	name    string
	seconds float64
	detail  string
}

// bootTimeline adds up to 140 seconds, about what an install of Docker and four gigabytes of images take.
func bootTimeline() []bootStep {
	return []bootStep{
		{"packages", 28, "installed 14 packages"},
		{"docker", 14, "docker 29.8.1, compose 5.6.0"},
		{"storage", 24, "mounted /mnt/efs and /mnt/data"},
		{"secrets", 4, "fetched 9 values"},
		{"images", 48, "6 images"},
		{"compose", 10, "6 containers started"},
		{"health", 12, "every service is healthy"},
	}
}

// BootSteps lists the names of the boot steps, in order. A fault with Service "machine" names one as its Operation.
func BootSteps() []string {
	var names []string
	for _, step := range bootTimeline() {
		names = append(names, step.name)
	}
	return names
}

// bootFailure is what a step says when a fault ends it, in the words that the programs at work there use.
func bootFailure(step string) string {
	return map[string]string{
		"packages": "E: Failed to fetch http://archive.ubuntu.com/ubuntu/pool/main/c/curl: 503 Service Unavailable",
		"docker":   "Job for docker.service failed because the control process exited with error code",
		"storage":  "mount.nfs4: Connection timed out: the file system did not answer on port 2049 in 300 s",
		"secrets":  "AccessDeniedException: not authorized to perform: ssm:GetParameter on the stack's parameter",
		"images":   "toomanyrequests: You have reached your unauthenticated pull rate limit",
		"compose":  "dependency failed to start: container postgres exited (1)",
		"health":   "n8n did not become healthy in 300 s: connection to postgres refused",
	}[step]
}

const (
	writeDelay   = 4 * time.Second  // until cloud-init has written our files
	restartDelay = 30 * time.Second // until the containers are back after a restart
	logPiece     = 12000            // bytes of log in one report
)

// machine returns what runs on an instance, or nil when its user data is not ours or it does not run.
func (c *call) machine(i *instance) *machine {
	if !i.running(c.now) {
		return nil
	}
	config := cloudConfig(i.UserData)
	if config == nil {
		return nil
	}
	t, _ := typeNamed(i.Type)
	m := &machine{instance: i, first: i.First, since: i.Since.Add(startDelay), fails: i.BootFails, gpu: t.gpus > 0}
	for _, v := range c.region.Volumes {
		switch {
		case v.attachedTo(c.now) != i.ID:
		case v.Device == i.RootDevice:
			m.rootGiB = v.Size
		default:
			m.dataGiB = v.Size
		}
	}
	c.mount(m, config)
	return m
}

// cloudConfig returns the cloud-config of geusemaker in user data, compressed or plain; nil when it is not ours.
func cloudConfig(userData string) []byte {
	data, err := base64.StdEncoding.DecodeString(userData)
	if err != nil {
		return nil
	}
	if zipped, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		if data, err = io.ReadAll(io.LimitReader(zipped, 1<<20)); err != nil {
			return nil
		}
	}
	if !bytes.Contains(data, []byte("#cloud-config")) || !bytes.Contains(data, []byte("geusemaker")) {
		return nil
	}
	return data
}

func (m *machine) written(at time.Time) bool { return !at.Before(m.first.Add(writeDelay)) }

// steps returns the steps that have begun by a moment, and whether the boot is complete or has failed.
func (m *machine) steps(at time.Time) (steps []stack.BootStep, complete, failed bool) {
	begins := m.first.Add(writeDelay)
	for _, step := range m.timeline() {
		if at.Before(begins) {
			return steps, false, false
		}
		ends := begins.Add(seconds(step.seconds))
		one := stack.BootStep{Name: step.name, Status: "running", Seconds: at.Sub(begins).Round(100 * time.Millisecond).Seconds()}
		if !at.Before(ends) {
			one.Status, one.Seconds, one.Detail = "done", step.seconds, step.detail
			if step.name == m.fails {
				one.Status, one.Detail = "failed", bootFailure(step.name)
				return append(steps, one), false, true
			}
		}
		steps = append(steps, one)
		if one.Status == "running" {
			return steps, false, false
		}
		begins = ends
	}
	return steps, true, false
}

// timeline is the boot timeline of this machine: the storage step goes on until the file system is reached.
func (m *machine) timeline() []bootStep {
	steps := bootTimeline()
	for n := range steps {
		if steps[n].name == "storage" {
			steps[n].seconds = m.storage.Seconds()
		}
	}
	return steps
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// begins is when a step starts.
func (m *machine) begins(name string) time.Time {
	at := m.first.Add(writeDelay)
	for _, step := range m.timeline() {
		if step.name == name {
			break
		}
		at = at.Add(seconds(step.seconds))
	}
	return at
}

// upAfter is how many seconds after the start of its container a service answers.
func upAfter(service string) float64 {
	return map[string]float64{"postgres": 3, "gateway": 3, "qdrant": 5, "ollama": 6, "n8n": 14, "crawl4ai": 18}[service]
}

// up tells whether a service answers at a moment.
func (m *machine) up(service string, at time.Time) bool {
	if m.fails != "" && m.fails != "health" {
		return false
	}
	if m.fails == "health" && service == "n8n" {
		return false
	}
	ready := m.begins("compose").Add(seconds(upAfter(service)))
	if again := m.since.Add(restartDelay).Add(seconds(upAfter(service))); m.since.After(m.first) && again.After(ready) {
		ready = again
	}
	return !at.Before(ready)
}

// report is what the machine says of itself at a moment, with the piece of its log from offset.
func (m *machine) report(at time.Time, offset int64) stack.Report {
	steps, complete, failed := m.steps(at)
	r := stack.Report{
		Version: 1, Time: at, Complete: complete, Failed: failed, Steps: steps, Pulls: m.pulls(at), Disks: m.disks(at),
	}
	for _, service := range stack.Services(stack.HTTPSOff) {
		one := stack.ServiceReport{Service: service.Name, Health: stack.HealthUnknown, Image: imageOf(service.Name)}
		if !at.Before(m.begins("compose")) && (m.fails == "" || m.fails == "health") {
			one.Health = stack.Starting
			if m.up(service.Name, at) {
				one.Health = stack.Healthy
			} else if failed {
				one.Health, one.Detail = stack.Unhealthy, "connection to postgres refused"
			}
		}
		r.Services = append(r.Services, one)
	}
	log := m.log(at)
	offset = min(offset, int64(len(log)))
	piece := log[offset:]
	if len(piece) > logPiece {
		piece = piece[:logPiece]
		if end := strings.LastIndexByte(piece, '\n'); end > 0 {
			piece = piece[:end+1] // whole lines
		}
	}
	r.Log = stack.LogPiece{Offset: offset, Next: offset + int64(len(piece)), Size: int64(len(log)), Text: piece}
	return r
}

func (m *machine) reportJSON(at time.Time, offset int64) string {
	text, err := json.Marshal(m.report(at, offset))
	if err != nil {
		panic("sandbox: a report has no JSON form: " + err.Error())
	}
	return string(text) + "\n"
}

// pulled is a container image with its size.
type pulled struct {
	service, image string
	bytes          int64
}

func pulledImages() []pulled {
	return []pulled{
		{"gateway", "caddy:2.11.4-alpine", 21_400_000},
		{"qdrant", "qdrant/qdrant:v1.19.2", 74_800_000},
		{"postgres", "postgres:17.11-bookworm", 152_300_000},
		{"n8n", "n8nio/n8n:2.42.3", 318_600_000},
		{"crawl4ai", "unclecode/crawl4ai:0.9.4", 1_412_000_000},
		{"ollama", "ollama/ollama:0.34.2", 1_968_000_000},
	}
}

func imageOf(service string) string {
	for _, p := range pulledImages() {
		if p.service == service {
			return p.image
		}
	}
	return ""
}

// pulls tells how far the downloads are. They run side by side, the smaller ones end first.
func (m *machine) pulls(at time.Time) []stack.ImagePull {
	begins, length := m.begins("images"), 0.0
	for _, step := range m.timeline() {
		if step.name == "images" {
			length = step.seconds
		}
	}
	var all []stack.ImagePull
	images := pulledImages()
	for n, p := range images {
		one := stack.ImagePull{Image: p.image, Status: "waiting", Total: p.bytes}
		portion := at.Sub(begins).Seconds() / (length * float64(n+1) / float64(len(images)))
		switch {
		case m.stoppedBefore("images") || portion <= 0:
			one.Total = 0
		case m.fails == "images" && n == len(images)-1 && portion >= 1:
			one.Status, one.Done = "failed", p.bytes/3
		case portion >= 1:
			one.Status, one.Done = "done", p.bytes
		default:
			one.Status, one.Done = "pulling", int64(portion*float64(p.bytes))
		}
		all = append(all, one)
	}
	return all
}

// stoppedBefore tells whether a fault ends the boot before a step begins.
func (m *machine) stoppedBefore(name string) bool {
	for _, step := range m.timeline() {
		if step.name == name {
			return false
		}
		if step.name == m.fails {
			return true
		}
	}
	return false
}

func (m *machine) disks(at time.Time) []stack.Disk {
	const gib = 1 << 30
	used := int64(5) * gib / 2
	for _, pull := range m.pulls(at) {
		used += pull.Done * 5 / 2 // unpacked
	}
	disks := []stack.Disk{{Mount: "/", Kind: "root", Size: int64(m.rootGiB) * gib, Used: min(used, int64(m.rootGiB)*gib)}}
	if at.Before(m.begins("secrets")) || m.fails == "storage" || m.stoppedBefore("storage") {
		return disks
	}
	if m.dataGiB > 0 {
		disks = append(disks, stack.Disk{Mount: "/mnt/data", Kind: "data", Size: int64(m.dataGiB) * gib, Used: 180 << 20})
	}
	return append(disks, stack.Disk{Mount: "/mnt/efs", Kind: "files", Size: 8<<60 - 1, Used: 6144}) // EFS shows 8 EiB
}

// getConsoleOutput is base64 of what the machine wrote to its console. EC2 keeps it back for the first half minute.
func getConsoleOutput(c *call, in *ec2.GetConsoleOutputInput) (*ec2.GetConsoleOutputOutput, error) {
	i, err := find(c, instanceKind, c.region.Instances, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &ec2.GetConsoleOutputOutput{InstanceId: new(i.ID), Timestamp: new(c.now)}
	if c.now.Before(i.First.Add(30 * time.Second)) {
		return out, nil
	}
	text := fmt.Sprintf("[    0.000000] Linux version 6.14.0-1018-aws\n[    4.812345] systemd[1]: Started %s\n", i.ID)
	if m := c.machine(i); m != nil {
		text += m.log(c.now)
	}
	out.Output = new(base64.StdEncoding.EncodeToString([]byte(text)))
	return out, nil
}
