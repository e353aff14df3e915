package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// dockerTime is how Docker writes the time of a line of a container's log.
const dockerTime = "2006-01-02T15:04:05.000000000Z"

// logsPiece is how many bytes the machine's program gives at once.
const logsPiece = 16000

// logRequest is what the program takes: SERVICE SINCE TAIL SKIP.
var logRequest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]+ [0-9TZ:.s-]+ (all|[0-9]+) [0-9]+$`) })

// serviceLog answers for the program that prints a piece of a container's log.
func serviceLog(m *machine, words []string, at time.Time) result {
	if !logRequest().MatchString(strings.Join(words, " ")) {
		return result{errors: "failed to run commands: exit status 2", code: 2}
	}
	service := words[0]
	if at.Before(m.begins("compose")) || m.fails == "compose" || m.stoppedBefore("compose") || imageOf(service) == "" {
		return result{errors: "Error response from daemon: No such container: geusemaker-" + service + "-1\nfailed to run commands: exit status 1", code: 1}
	}
	since, err := time.Parse(time.RFC3339Nano, words[1])
	if age, isAge := strings.CutSuffix(words[1], "s"); isAge {
		var seconds int64
		seconds, err = strconv.ParseInt(age, 10, 64)
		since = at.Add(-time.Duration(min(seconds, 1e9)) * time.Second)
	}
	if err != nil {
		return result{errors: "invalid value for \"since\"", code: 1}
	}
	var lines []string
	for _, line := range m.serviceLines(service, at) {
		if !line.at.Before(since) {
			lines = append(lines, line.at.Format(dockerTime)+" "+line.text+"\n")
		}
	}
	if tail, err := strconv.Atoi(words[2]); err == nil {
		lines = lines[max(0, len(lines)-tail):]
	}
	text := strings.Join(lines, "")
	skip, _ := strconv.Atoi(words[3]) // digits, as was checked
	text = text[min(skip, len(text)):]
	text = text[:min(logsPiece, len(text))]
	out, err := json.Marshal(map[string]any{"now": at.Format(dockerTime), "text": []byte(text)})
	if err != nil {
		panic("sandbox: a text has no JSON form: " + err.Error())
	}
	return result{output: string(out) + "\n"}
}

// timedLine is a line of a container's log.
type timedLine struct {
	at   time.Time
	text string
}

// heartbeat is how often a service that runs writes something.
const heartbeat = 20 * time.Second

// serviceLines is what a service has written by a moment, in the words of the programs: its start, and then what it is asked
// by its health check or by users.
func (m *machine) serviceLines(service string, at time.Time) []timedLine {
	began := m.begins("compose")
	if again := m.since.Add(restartDelay); m.since.After(m.first) && again.After(began) {
		began = again
	}
	var lines []timedLine
	write := func(moment time.Time, format string, args ...any) {
		if !moment.After(at) {
			lines = append(lines, timedLine{moment, fmt.Sprintf(format, args...)})
		}
	}
	start := startLines(service)
	step := seconds(upAfter(service)) / time.Duration(len(start))
	for n, line := range start {
		write(began.Add(step*time.Duration(n)), "%s", line)
	}
	ready := began.Add(seconds(upAfter(service)))
	if !m.up(service, ready) {
		for moment := ready; !moment.After(at); moment = moment.Add(heartbeat) {
			write(moment, "%s", bootFailure("health"))
		}
		return lines
	}
	for n, moment := 0, ready; !moment.After(at); n, moment = n+1, moment.Add(heartbeat) {
		write(moment, "%s", runningLine(service, n, moment))
	}
	return lines
}

func startLines(service string) []string {
	_, version, _ := strings.Cut(imageOf(service), ":")
	switch service {
	case "n8n":
		return []string{
			"Initializing n8n process", "n8n ready on 0.0.0.0, port 5678",
			"Migrations in progress, please do NOT stop the process.", "n8n Task Broker ready on 127.0.0.1, port 5679",
			"Version: " + version, "Editor is now accessible via:",
		}
	case "ollama":
		return []string{`level=INFO source=images.go msg="total blobs: 0"`, `level=INFO source=routes.go msg="Listening on [::]:11434 (version ` + version + `)"`}
	case "qdrant":
		return []string{"INFO qdrant: Version: " + strings.TrimPrefix(version, "v"), "INFO qdrant::actix: Qdrant HTTP listening on 6333", "INFO qdrant::tonic: Qdrant gRPC listening on 6334"}
	case "crawl4ai":
		return []string{"[INFO] Starting gunicorn 23.0.0", "[INFO] Listening at: http://0.0.0.0:11235 (7)", "[INFO] Application startup complete."}
	case "postgres":
		return []string{"LOG:  starting PostgreSQL " + version + " (Debian) on x86_64-pc-linux-gnu", `LOG:  listening on IPv4 address "0.0.0.0", port 5432`, "LOG:  database system is ready to accept connections"}
	default:
		return []string{`{"level":"info","msg":"using config from file","file":"/etc/caddy/Caddyfile"}`, `{"level":"info","msg":"serving initial configuration"}`}
	}
}

func runningLine(service string, n int, at time.Time) string {
	switch service {
	case "n8n":
		return fmt.Sprintf("Pruned %d executions", n%3)
	case "ollama":
		return fmt.Sprintf(`[GIN] %s | 200 | %3dµs | 127.0.0.1 | GET "/api/version"`, at.Format("2006/01/02 - 15:04:05"), 20+n%17)
	case "qdrant":
		return `INFO actix_web::middleware::logger: 127.0.0.1 "GET /readyz HTTP/1.0" 200 22`
	case "crawl4ai":
		return `127.0.0.1:51234 - "GET /health HTTP/1.1" 200`
	case "postgres":
		return fmt.Sprintf("LOG:  checkpoint complete: wrote %d buffers", 3+n%40)
	default:
		return fmt.Sprintf(`{"level":"info","logger":"http.log.access","msg":"handled request","status":200,"uri":"/health","n":%d}`, n)
	}
}

// cloudInitRequest is how the product reads the file from an offset on: tail -c +N FILE.
var cloudInitRequest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`tail -c \+([0-9]+) `) })

// readCloudInitLog answers stat -c %s FILE && tail -c +N FILE | head -c 16000 | base64 -w 0. The file is there from the
// start, whatever the user data is.
func readCloudInitLog(m *machine, script string, at time.Time) result {
	text := "Cloud-init v. 25.2 running 'modules:config'\n"
	if m != nil && m.written(at) {
		text += "Created symlink /etc/systemd/system/multi-user.target.wants/geusemaker.service\nCloud-init v. 25.2 finished\n"
	}
	size := len(text)
	if match := cloudInitRequest().FindStringSubmatch(script); match != nil {
		from, _ := strconv.Atoi(match[1]) // digits, as was matched
		text = text[min(max(from-1, 0), size):]
	}
	return result{output: fmt.Sprintf("%d\n%s", size, base64.StdEncoding.EncodeToString([]byte(text)))}
}
