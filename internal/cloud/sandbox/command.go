package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// command is a run of a document on instances through Systems Manager.
type command struct {
	resource
	Instances []string  `json:"instances"`
	Document  string    `json:"document"`
	Comment   string    `json:"comment,omitempty"`
	Script    string    `json:"script"`
	Delivery  int32     `json:"delivery"` // seconds until an undelivered command times out
	Cancelled time.Time `json:"cancelled,omitzero"`
}

// When the agent is up after a start (12 to 16 s were measured), and how a command goes: its invocation can be read after a
// second, its script has then just ended.
const (
	agentDelay      = 14 * time.Second
	invocationDelay = time.Second
	scriptStart     = 500 * time.Millisecond
	scriptEnd       = 1200 * time.Millisecond
	agentGrace      = 5 * time.Minute  // after an end, until the agent is missed
	commandsKept    = 30 * time.Minute // in the snapshot
)

// Systems Manager keeps the first 24,000 characters of the output and the first 8,000 of the errors (SSM API reference,
// GetCommandInvocation).
const (
	maxOutput = 24000
	maxErrors = 8000
)

func registerCommands(all map[string]operation) {
	on(all, serviceSSM, "DescribeInstanceInformation", describeInstanceInformation)
	on(all, serviceSSM, "SendCommand", sendCommand)
	on(all, serviceSSM, "GetCommandInvocation", getCommandInvocation)
	on(all, serviceSSM, "CancelCommand", cancelCommand)
}

// online tells whether the agent of an instance has registered: it needs the rights of AmazonSSMManagedInstanceCore, a way to
// the service and a few seconds (Systems Manager user guide, "Troubleshooting managed node availability").
func (c *call) online(i *instance) bool {
	if i.Phase != phaseStart || c.now.Before(i.Since.Add(agentDelay)) {
		return false
	}
	p := c.state.Profiles[i.Profile]
	if p == nil || c.state.Roles[p.Role] == nil ||
		!slices.Contains(c.state.Roles[p.Role].Attached, managedPolicyPrefix+"AmazonSSMManagedInstanceCore") {
		return false
	}
	return c.reachesServices(i)
}

// reachesServices tells whether an instance can call AWS: through the internet with a public address or a NAT gateway, or
// through endpoints in its VPC; and out of its security groups on port 443.
func (c *call) reachesServices(i *instance) bool {
	e, n := c.region.Interfaces[i.Interface], c.region.Subnets[i.Subnet]
	if e == nil || n == nil {
		return false
	}
	out := slices.ContainsFunc(e.Groups, func(id string) bool {
		g := c.region.Groups[id]
		return g != nil && slices.ContainsFunc(g.Rules, func(r *rule) bool {
			covers := r.Protocol == "-1" || r.Protocol == "tcp" && r.From <= 443 && r.To >= 443
			return r.Egress && covers
		})
	})
	if !out {
		return false
	}
	if e.PublicIP != "" && c.public(n) || c.translated(n) {
		return true
	}
	found := map[string]bool{}
	for _, endpoint := range c.region.Endpoints {
		if endpoint.VPC == i.VPC && c.endpointState(endpoint) == endpointAvailable {
			found[endpoint.Service[strings.LastIndex(endpoint.Service, ".")+1:]] = true
		}
	}
	return found["ssm"] && found["ssmmessages"] && found["ec2messages"]
}

// describeInstanceInformation lists the instances whose agent has registered; the others are absent, not an error. An agent that
// died is shown as online for some minutes more.
func describeInstanceInformation(c *call, in *ssm.DescribeInstanceInformationInput) (*ssm.DescribeInstanceInformationOutput, error) {
	for _, filter := range in.Filters {
		if key := deref(filter.Key); key != "InstanceIds" && key != "PingStatus" {
			return nil, refuse("InvalidFilterKey", "The sandbox does not know the filter key %s", key)
		}
	}
	var found []ssmtypes.InstanceInformation
	for _, i := range inOrder(c.region.Instances) {
		status, known := c.ping(i)
		passes := known && !slices.ContainsFunc(in.Filters, func(filter ssmtypes.InstanceInformationStringFilter) bool {
			value := i.ID
			if *filter.Key == "PingStatus" {
				value = string(status)
			}
			return !slices.Contains(filter.Values, value)
		})
		if passes {
			found = append(found, c.showAgent(i, status))
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, 50)
	return &ssm.DescribeInstanceInformationOutput{InstanceInformationList: found, NextToken: next}, err
}

func (c *call) ping(i *instance) (status ssmtypes.PingStatus, known bool) {
	switch {
	case c.online(i):
		return ssmtypes.PingStatusOnline, true
	case i.Phase == phaseStart || i.Since.Before(i.First.Add(agentDelay)):
		return "", false
	case i.Profile == "":
		return "", false
	case c.now.Before(i.Since.Add(agentGrace)):
		return ssmtypes.PingStatusOnline, true
	}
	return ssmtypes.PingStatusConnectionLost, !i.terminated(c.now)
}

func (c *call) showAgent(i *instance, status ssmtypes.PingStatus) ssmtypes.InstanceInformation {
	shown := ssmtypes.InstanceInformation{
		InstanceId: new(i.ID), PingStatus: status, AgentVersion: new("3.3.3050.0"), IsLatestVersion: new(true),
		LastPingDateTime: new(c.now), PlatformType: ssmtypes.PlatformTypeLinux, ResourceType: ssmtypes.ResourceTypeEc2Instance,
		PlatformName: new("Ubuntu"), PlatformVersion: new("24.04"), ComputerName: new("ip-10-0-0-10"),
	}
	if image, err := c.imageWithID(i.Image); err == nil && image.root == "/dev/xvda" {
		shown.PlatformName, shown.PlatformVersion = new("Amazon Linux"), new("2023")
	}
	if e := c.region.Interfaces[i.Interface]; e != nil {
		shown.IPAddress = new(e.PrivateIP)
	}
	return shown
}

// sendCommand is not idempotent: a repeat runs the script again.
func sendCommand(c *call, in *ssm.SendCommandInput) (*ssm.SendCommandOutput, error) {
	if deref(in.DocumentName) != "AWS-RunShellScript" {
		return nil, refuse("InvalidDocument", "Document %s does not exist in the sandbox: it knows AWS-RunShellScript only", deref(in.DocumentName))
	}
	if seconds := deref(in.TimeoutSeconds); in.TimeoutSeconds != nil && (seconds < 30 || seconds > 2592000) {
		return nil, refuse("ValidationException", "TimeoutSeconds must be between 30 and 2592000")
	}
	if len(in.InstanceIds) == 0 || len(in.InstanceIds) > 50 {
		return nil, refuse("InvalidParameters", "Name from 1 to 50 instances: the sandbox knows no other targets")
	}
	for _, id := range in.InstanceIds {
		if i := c.region.Instances[id]; i == nil || !c.online(i) {
			return nil, refuse("InvalidInstanceId", "Instances [[%s]] not in a valid state for account %s", id, c.state.Account)
		}
	}
	if len(in.Parameters["commands"]) == 0 {
		return nil, refuse("InvalidParameters", "document AWS-RunShellScript needs the parameter commands")
	}
	cmd := &command{
		resource: resource{ID: c.uuid(), Born: c.now, Seen: c.now.Add(invocationDelay)}, Document: *in.DocumentName,
		Instances: slices.Clone(in.InstanceIds), Comment: deref(in.Comment), Script: strings.Join(in.Parameters["commands"], "\n"),
		Delivery: 3600,
	}
	if in.TimeoutSeconds != nil {
		cmd.Delivery = *in.TimeoutSeconds
	}
	c.region.Commands[cmd.ID] = cmd
	return &ssm.SendCommandOutput{Command: &ssmtypes.Command{
		CommandId: new(cmd.ID), DocumentName: new(cmd.Document), InstanceIds: slices.Clone(cmd.Instances), Comment: new(cmd.Comment),
		RequestedDateTime: new(c.now), Status: ssmtypes.CommandStatusPending, StatusDetails: new("Pending"),
		Parameters: in.Parameters, TargetCount: int32(len(cmd.Instances)), TimeoutSeconds: new(cmd.Delivery),
		ExpiresAfter: new(c.now.Add(time.Duration(cmd.Delivery) * time.Second)),
	}}, nil
}

// outcome is how far a command is on one instance.
func (c *call) outcome(cmd *command, i *instance) (status ssmtypes.CommandInvocationStatus, details string) {
	ended := i.Phase != phaseStart && i.Since.Before(cmd.Born.Add(scriptEnd))
	expires := cmd.Born.Add(time.Duration(cmd.Delivery) * time.Second)
	switch {
	case !cmd.Cancelled.IsZero():
		return ssmtypes.CommandInvocationStatusCancelled, "Cancelled"
	case ended && c.now.After(expires):
		return ssmtypes.CommandInvocationStatusTimedOut, "DeliveryTimedOut"
	case ended || c.now.Before(cmd.Born.Add(scriptStart)):
		return ssmtypes.CommandInvocationStatusPending, "Pending"
	case c.now.Before(cmd.Born.Add(scriptEnd)):
		return ssmtypes.CommandInvocationStatusInProgress, "InProgress"
	}
	return ssmtypes.CommandInvocationStatusSuccess, "Success"
}

func getCommandInvocation(c *call, in *ssm.GetCommandInvocationInput) (*ssm.GetCommandInvocationOutput, error) {
	cmd := c.region.Commands[deref(in.CommandId)]
	if cmd == nil || !cmd.visible(c.now) || !slices.Contains(cmd.Instances, deref(in.InstanceId)) {
		return nil, refuse("InvocationDoesNotExist", "")
	}
	i := c.region.Instances[*in.InstanceId]
	if i == nil {
		return nil, refuse("InvocationDoesNotExist", "")
	}
	status, details := c.outcome(cmd, i)
	out := &ssm.GetCommandInvocationOutput{
		CommandId: new(cmd.ID), InstanceId: new(i.ID), DocumentName: new(cmd.Document), Comment: new(cmd.Comment),
		PluginName: new("aws:runShellScript"), ResponseCode: -1, Status: status, StatusDetails: new(details),
		StandardOutputContent: new(""), StandardErrorContent: new(""), StandardOutputUrl: new(""), StandardErrorUrl: new(""),
	}
	if status != ssmtypes.CommandInvocationStatusSuccess {
		return out, nil
	}
	result := c.run(cmd.Script, i, cmd.Born.Add(scriptStart))
	out.ResponseCode = result.code
	out.StandardOutputContent, out.StandardErrorContent = new(cut(result.output, maxOutput)), new(cut(result.errors, maxErrors))
	out.ExecutionStartDateTime = new(cmd.Born.Add(scriptStart).Format(time.RFC3339Nano))
	out.ExecutionEndDateTime = new(cmd.Born.Add(scriptEnd).Format(time.RFC3339Nano))
	out.ExecutionElapsedTime = new("PT0.7S")
	if result.code != 0 {
		out.Status, out.StatusDetails = ssmtypes.CommandInvocationStatusFailed, new("Failed")
	}
	return out, nil
}

// cut keeps the beginning of a text.
func cut(text string, longest int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), longest)])
}

// result is what a script left behind.
type result struct {
	output, errors string
	code           int32
}

// program answers one command line on a machine: the words after its name, at a moment.
type program func(m *machine, words []string, at time.Time) result

// The programs of a machine that the product asks for, by their paths.
const (
	reportCommand = "/opt/geusemaker/report"
	logsCommand   = "/opt/geusemaker/logs"
	cloudInitLog  = "/var/log/cloud-init-output.log"
)

// run carries a script out on an instance. It knows the machine's own programs and the reading of cloud-init's log;
// everything else succeeds without output.
func (c *call) run(script string, i *instance, at time.Time) result {
	m := c.machine(i)
	if strings.Contains(script, cloudInitLog) {
		return readCloudInitLog(m, script, at)
	}
	for path, answer := range map[string]program{reportCommand: report, logsCommand: serviceLog} {
		_, words, asked := strings.Cut(script, path)
		switch {
		case !asked:
		case m == nil || !m.written(at):
			return result{errors: "sh: 1: " + path + ": not found\nfailed to run commands: exit status 127", code: 127}
		default:
			return answer(m, strings.Fields(words), at)
		}
	}
	return result{}
}

func report(m *machine, words []string, at time.Time) result {
	if len(words) == 0 {
		words = []string{"0"}
	}
	offset, err := strconv.ParseInt(strings.Trim(words[0], `"'`), 10, 64)
	if err != nil || offset < 0 {
		return result{errors: "usage: report OFFSET\nfailed to run commands: exit status 2", code: 2}
	}
	return result{output: m.reportJSON(at, offset)}
}

func cancelCommand(c *call, in *ssm.CancelCommandInput) (*ssm.CancelCommandOutput, error) {
	cmd := c.region.Commands[deref(in.CommandId)]
	if cmd == nil {
		return nil, refuse("InvalidCommandId", "The command %s does not exist", deref(in.CommandId))
	}
	if c.now.Before(cmd.Born.Add(scriptEnd)) || c.unfinished(cmd) {
		cmd.Cancelled = c.now
	}
	return &ssm.CancelCommandOutput{}, nil
}

func (c *call) unfinished(cmd *command) bool {
	return slices.ContainsFunc(cmd.Instances, func(id string) bool {
		i := c.region.Instances[id]
		if i == nil {
			return false
		}
		status, _ := c.outcome(cmd, i)
		return status == ssmtypes.CommandInvocationStatusPending
	})
}
