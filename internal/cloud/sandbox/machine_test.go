package sandbox_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"geusemaker/internal/cloud/sandbox"
	"geusemaker/internal/stack"
)

// userData is a gzipped cloud-config as the host room makes it, with some settings.
func userData(t *testing.T, settings string) *string {
	t.Helper()
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, err := io.WriteString(writer, "#cloud-config\nwrite_files:\n- path: /opt/geusemaker/report\n  content: "+settings+"\n")
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}
	return new(base64.StdEncoding.EncodeToString(zipped.Bytes()))
}

// host launches a machine that runs the stack, with the ports open, and returns its id once it runs.
func (w *world) host(n network) string {
	w.Helper()
	return w.hostWith(n, "none")
}

func (w *world) hostWith(n network, settings string) string {
	w.Helper()
	w.profile("host")
	for _, port := range []int32{443, 6333, 11235} {
		w.ok(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
			GroupId: &n.group, IpProtocol: new("tcp"), FromPort: &port, ToPort: &port, CidrIp: new(sandbox.CallerAddress + "/32"),
		}))
	}
	in := w.launch(n)
	in.UserData = userData(w.T, settings)
	in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: new("host")}
	id := w.run(in)
	time.Sleep(6 * time.Second)
	return id
}

func (w *world) online() []string {
	w.Helper()
	var ids []string
	for _, i := range must(w.ssm.DescribeInstanceInformation(w.ctx, &ssm.DescribeInstanceInformationInput{}))(w).InstanceInformationList {
		ids = append(ids, *i.InstanceId)
	}
	return ids
}

func (w *world) send(id, script string) (*ssm.SendCommandOutput, error) {
	return w.ssm.SendCommand(w.ctx, &ssm.SendCommandInput{
		DocumentName: new("AWS-RunShellScript"), InstanceIds: []string{id}, Parameters: map[string][]string{"commands": {script}},
	})
}

// shell runs a script to its end.
func (w *world) shell(id, script string) *ssm.GetCommandInvocationOutput {
	w.Helper()
	sent := must(w.send(id, script))(w)
	time.Sleep(2 * time.Second)
	return must(w.ssm.GetCommandInvocation(w.ctx, &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: &id}))(w)
}

func (w *world) report(id, offset string) stack.Report {
	w.Helper()
	out := w.shell(id, "/opt/geusemaker/report "+offset)
	var report stack.Report
	if err := json.Unmarshal([]byte(*out.StandardOutputContent), &report); err != nil {
		w.Fatalf("%v in %q (%s)", err, *out.StandardOutputContent, *out.StandardErrorContent)
	}
	return report
}

func TestTheAgentComesUpLate(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		if ids := w.online(); len(ids) != 0 {
			w.Errorf("online too early: %v", ids)
		}
		w.refused("InvalidInstanceId")(w.send(id, "true"))
		time.Sleep(10 * time.Second)
		if ids := w.online(); len(ids) != 1 || ids[0] != id {
			w.Errorf("online: %v", ids)
		}
		sent := must(w.send(id, "true"))(w)
		get := func() (*ssm.GetCommandInvocationOutput, error) {
			return w.ssm.GetCommandInvocation(w.ctx, &ssm.GetCommandInvocationInput{CommandId: sent.Command.CommandId, InstanceId: &id})
		}
		w.refused("InvocationDoesNotExist")(get())
		time.Sleep(2 * time.Second)
		if out := must(get())(w); out.Status != ssmtypes.CommandInvocationStatusSuccess || *out.StandardOutputContent != "" || out.ResponseCode != 0 {
			w.Errorf("%+v", out)
		}
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		time.Sleep(30 * time.Second)
		w.refused("InvalidInstanceId")(w.send(id, "true"))
		if ids := w.online(); len(ids) != 1 {
			w.Error("a dead agent is missed only minutes later")
		}
	})
}

func TestACommandToADyingMachineTimesOut(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		time.Sleep(10 * time.Second)
		sent := must(w.ssm.SendCommand(w.ctx, &ssm.SendCommandInput{
			DocumentName: new("AWS-RunShellScript"), InstanceIds: []string{id}, TimeoutSeconds: new(int32(30)),
			Parameters: map[string][]string{"commands": {"true"}},
		}))(w).Command.CommandId
		w.ok(w.ec2.TerminateInstances(w.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))
		get := func() *ssm.GetCommandInvocationOutput {
			return must(w.ssm.GetCommandInvocation(w.ctx, &ssm.GetCommandInvocationInput{CommandId: sent, InstanceId: &id}))(w)
		}
		time.Sleep(10 * time.Second)
		if out := get(); out.Status != ssmtypes.CommandInvocationStatusPending || out.ResponseCode != -1 {
			w.Errorf("%s %d", out.Status, out.ResponseCode)
		}
		time.Sleep(25 * time.Second)
		if out := get(); out.Status != ssmtypes.CommandInvocationStatusTimedOut || *out.StatusDetails != "DeliveryTimedOut" {
			w.Errorf("%s %s", out.Status, *out.StatusDetails)
		}
	})
}

func TestACommandIsCancelled(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		time.Sleep(10 * time.Second)
		sent := must(w.send(id, "sleep 1"))(w).Command.CommandId
		w.ok(w.ssm.CancelCommand(w.ctx, &ssm.CancelCommandInput{CommandId: sent}))
		time.Sleep(time.Second)
		out := must(w.ssm.GetCommandInvocation(w.ctx, &ssm.GetCommandInvocationInput{CommandId: sent, InstanceId: &id}))(w)
		if out.Status != ssmtypes.CommandInvocationStatusCancelled {
			w.Errorf("%s", out.Status)
		}
		w.refused("InvalidCommandId")(w.ssm.CancelCommand(w.ctx, &ssm.CancelCommandInput{CommandId: new("00000000-0000-0000-0000-000000000000")}))
	})
}

func TestTheAgentNeedsRightsAndAWay(t *testing.T) {
	cases := map[string]func(w *world, n network, in *ec2.RunInstancesInput){
		"no profile": func(_ *world, _ network, in *ec2.RunInstancesInput) { in.IamInstanceProfile = nil },
		"no public address": func(_ *world, _ network, in *ec2.RunInstancesInput) {
			in.NetworkInterfaces[0].AssociatePublicIpAddress = new(false)
		},
		"no route out": func(_ *world, n network, in *ec2.RunInstancesInput) { in.NetworkInterfaces[0].SubnetId = &n.subnetB },
		"no egress": func(w *world, n network, _ *ec2.RunInstancesInput) {
			w.ok(w.ec2.RevokeSecurityGroupEgress(w.ctx, &ec2.RevokeSecurityGroupEgressInput{
				GroupId: &n.group, IpProtocol: nil, IpPermissions: []ec2types.IpPermission{{
					IpProtocol: new("-1"), IpRanges: []ec2types.IpRange{{CidrIp: new("0.0.0.0/0")}},
				}},
			}))
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				n := w.network()
				w.profile("host")
				in := w.launch(n)
				in.IamInstanceProfile = &ec2types.IamInstanceProfileSpecification{Name: new("host")}
				change(w, n, in)
				w.run(in)
				time.Sleep(time.Minute)
				if ids := w.online(); len(ids) != 0 {
					w.Errorf("online: %v", ids)
				}
			})
		})
	}
}

func TestTheMachineBoots(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		time.Sleep(12 * time.Second)
		early := w.report(id, "0")
		if early.Complete || early.Failed || len(early.Steps) != 1 || early.Steps[0].Status != "running" {
			w.Errorf("early report %+v", early)
		}
		time.Sleep(80 * time.Second)
		middle := w.report(id, "0")
		last := middle.Steps[len(middle.Steps)-1]
		if last.Name != "images" || last.Status != "running" || middle.Pulls[0].Status != "done" || middle.Pulls[5].Status != "pulling" {
			w.Errorf("middle report %+v", middle)
		}
		time.Sleep(70 * time.Second)
		late := w.report(id, "0")
		if !late.Complete || len(late.Steps) != len(sandbox.BootSteps()) {
			w.Errorf("late report %+v", late)
		}
		for _, service := range late.Services {
			if service.Health != stack.Healthy {
				w.Errorf("%s is %s", service.Service, service.Health)
			}
		}
	})
}

func TestTheLogIsReadPieceByPiece(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		time.Sleep(160 * time.Second)
		var whole strings.Builder
		pieces := 0
		for next := int64(0); ; pieces++ {
			piece := w.report(id, base10(next)).Log
			if len(piece.Text) > 12000 || piece.Offset != next {
				w.Fatalf("piece of %d bytes from %d, asked for %d", len(piece.Text), piece.Offset, next)
			}
			whole.WriteString(piece.Text)
			if next = piece.Next; next == piece.Size {
				break
			}
		}
		text := whole.String()
		if pieces == 0 || !strings.Contains(text, "bootstrap starts") || !strings.HasSuffix(text, "geusemaker: bootstrap complete\n") {
			w.Errorf("%d more pieces, log ends %q", pieces, text[max(0, len(text)-200):])
		}
	})
}

func base10(n int64) string { return strconv.FormatInt(n, 10) }

func TestABootCanFailAtEachStep(t *testing.T) {
	for _, step := range sandbox.BootSteps() {
		t.Run(step, func(t *testing.T) {
			inBubble(t, func(w *world) {
				w.ok(nil, w.account.AddFault(sandbox.Fault{
					Service: sandbox.ServiceMachine, Operation: step, Effect: sandbox.EffectBootFails,
				}))
				id := w.host(w.network())
				time.Sleep(200 * time.Second)
				report := w.report(id, "0")
				last := report.Steps[len(report.Steps)-1]
				if !report.Failed || report.Complete || last.Name != step || last.Status != "failed" || last.Detail == "" {
					w.Errorf("report %+v", report)
				}
				tail := w.report(id, base10(report.Log.Next)).Log.Text
				if !strings.Contains(report.Log.Text+tail, "ERROR: "+last.Detail) {
					w.Error("the log does not explain the failure")
				}
			})
		})
	}
}

func TestTheMachineWaitsForItsFileSystem(t *testing.T) {
	cases := []struct {
		name   string
		failed bool
		mount  func(w *world, n network, fs, files string)
	}{
		{"a mount target that comes late", false, func(w *world, n network, fs, files string) {
			w.ok(w.ec2.AuthorizeSecurityGroupIngress(w.ctx, &ec2.AuthorizeSecurityGroupIngressInput{
				GroupId: &files, IpPermissions: []ec2types.IpPermission{{
					IpProtocol: new("tcp"), FromPort: new(int32(2049)), ToPort: new(int32(2049)),
					UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: &n.group}},
				}},
			}))
			time.Sleep(30 * time.Second)
			w.ok(w.mount(fs, n.subnetA, files))
		}},
		{"no mount target", true, func(*world, network, string, string) {}},
		{"a mount target in another zone", true, func(w *world, n network, fs, _ string) { w.ok(w.mount(fs, n.subnetB)) }},
		{"a closed door", true, func(w *world, n network, fs, files string) { w.ok(w.mount(fs, n.subnetA, files)) }},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(w *world) {
				n, fs := w.network(), w.fileSystem("one")
				files := w.group(n.vpc, "files")
				w.settle()
				id := w.hostWith(n, "FILE_SYSTEM="+fs)
				test.mount(w, n, fs, files)
				time.Sleep(400 * time.Second)
				report := w.report(id, "0")
				if report.Failed != test.failed || report.Complete == test.failed {
					w.Fatalf("report %+v", report.Steps)
				}
				if storage := report.Steps[2]; storage.Seconds < 30 || storage.Seconds > 300 {
					w.Errorf("the storage step took %v s", storage.Seconds)
				}
				if test.failed {
					return
				}
				targets := must(w.efs.DescribeMountTargets(w.ctx, &efs.DescribeMountTargetsInput{FileSystemId: &fs}))(w).MountTargets
				w.ok(w.efs.DeleteMountTarget(w.ctx, &efs.DeleteMountTargetInput{MountTargetId: targets[0].MountTargetId}))
				if !w.report(id, "0").Complete {
					w.Error("a report of the past changed with the account")
				}
			})
		})
	}
}

func TestOtherUserDataHasNoReport(t *testing.T) {
	inBubble(t, func(w *world) {
		n := w.network()
		w.profile("host")
		in := w.launch(n)
		in.UserData, in.IamInstanceProfile = encode("#!/bin/sh\n"), &ec2types.IamInstanceProfileSpecification{Name: new("host")}
		id := w.run(in)
		time.Sleep(20 * time.Second)
		out := w.shell(id, "/opt/geusemaker/report 0")
		if out.Status != ssmtypes.CommandInvocationStatusFailed || out.ResponseCode != 127 {
			w.Errorf("%+v", out)
		}
	})
}

func TestServicesAnswerWhenTheyAreUp(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		address := *w.instance(id).PublicIpAddress
		client := &http.Client{Transport: w.account.Transport()}
		get := func(url string, header ...string) (int, string, error) {
			request, err := http.NewRequestWithContext(w.ctx, http.MethodGet, url, nil)
			if err != nil {
				w.Fatal(err)
			}
			if len(header) > 0 {
				request.Header.Set(header[0], header[1])
			}
			response, err := client.Do(request)
			if err != nil {
				return 0, "", err
			}
			text, err := io.ReadAll(response.Body)
			return response.StatusCode, string(text), errors.Join(err, response.Body.Close())
		}
		if _, _, err := get("https://" + address + "/healthz/readiness"); !errors.Is(err, syscall.ECONNREFUSED) {
			w.Errorf("before the boot: %v", err)
		}
		time.Sleep(160 * time.Second)
		for _, service := range stack.Services("internal") {
			if service.Port != 443 && service.Port != 6333 && service.Port != 11235 {
				continue
			}
			status, body, err := get(service.URL(address, "internal") + service.HealthPath)
			if err != nil || status != http.StatusOK || !json.Valid([]byte(body)) {
				w.Errorf("%s: %d %s %v", service.Name, status, body, err)
			}
		}
		closed, _, err := get("https://" + address + ":6333/collections")
		w.ok(nil, err)
		opened, _, err := get("https://"+address+":6333/collections", "api-key", "x")
		w.ok(nil, err)
		if closed != http.StatusUnauthorized || opened != http.StatusOK {
			w.Errorf("without a key %d, with one %d", closed, opened)
		}
		start := time.Now()
		_, _, err = get("https://" + address + ":11434/api/version") // no rule opens it
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() || time.Since(start) < 20*time.Second {
			w.Errorf("a closed port: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://192.0.2.1/", nil)
		if err != nil {
			w.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			w.ok(nil, response.Body.Close())
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("an address of nobody: %v", err)
		}
		if _, text, err := get("https://checkip.amazonaws.com/"); err != nil || text != sandbox.CallerAddress+"\n" {
			w.Errorf("caller address %q, %v", text, err)
		}
	})
}

func TestConsoleOutput(t *testing.T) {
	inBubble(t, func(w *world) {
		id := w.host(w.network())
		time.Sleep(time.Minute)
		out := must(w.ec2.GetConsoleOutput(w.ctx, &ec2.GetConsoleOutputInput{InstanceId: &id}))(w)
		text := must(base64.StdEncoding.DecodeString(*out.Output))(w)
		if !strings.Contains(string(text), "Linux version") || !strings.Contains(string(text), "geusemaker: step packages") {
			w.Errorf("console %q", text)
		}
	})
}
