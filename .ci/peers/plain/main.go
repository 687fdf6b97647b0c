// Command plain does the jobs of the comparison by hand: what they cost at least.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
	"gopkg.in/yaml.v3"
)

func main() {
	jobs := map[string]func() error{"noop": noop, "hundred": hundred, "chain": chain, "fan": fan, "check": check}
	if err := jobs[os.Args[1]](); err != nil {
		log.Fatal(err)
	}
}

func noop() error { return nil }

// hundred counts to 100 through outputs that are kept.
func hundred() error {
	outputs := map[string]map[string]float64{}
	for i := range 100 {
		outputs[fmt.Sprintf("s%d", i)] = map[string]float64{"n": outputs[fmt.Sprintf("s%d", i-1)]["n"] + 1}
	}
	return nil
}

// chain makes 50 calls, each with what the one before returned.
func chain() error {
	key := "start"
	for i := range 50 {
		body, _ := json.Marshal(map[string]string{"event_type": "trigger", "description": fmt.Sprint("step ", i), "incident_key": key + "x", "service_key": "x"})
		response, err := http.Post(os.Getenv("STUB")+"/generic/2010-04-15/create_event.json", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		var answer struct {
			Key string `json:"incident_key"`
		}
		err = json.NewDecoder(response.Body).Decode(&answer)
		_ = response.Body.Close()
		if err != nil {
			return err
		}
		key = answer.Key
	}
	return nil
}

// fan makes 1,000 calls, 50 at a time.
func fan() error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 50}}
	var next, failed atomic.Int64
	var workers sync.WaitGroup
	for range 50 {
		workers.Go(func() {
			for i := next.Add(1); i <= 1000; i = next.Add(1) {
				response, err := client.Get(fmt.Sprintf("%s/slow/%d", os.Getenv("STUB"), i))
				if err != nil {
					failed.Add(1)
					continue
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		})
	}
	workers.Wait()
	if failed.Load() > 0 {
		return fmt.Errorf("%d calls failed", failed.Load())
	}
	return nil
}

// check decodes files and compiles what is Lua in them, on one processor.
func check() error {
	files, err := filepath.Glob(filepath.Join(os.Args[2], "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var v any
		if err := yaml.Unmarshal(source, &v); err != nil {
			return err
		}
		if err := compileAll(v); err != nil {
			return err
		}
	}
	return nil
}

func compileAll(v any) error {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			text, ok := item.(string)
			if !ok || name != "lua" && name != "if" {
				if err := compileAll(item); err != nil {
					return err
				}
				continue
			}
			if name == "if" {
				text = "return " + text
			}
			if err := compile(text); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := compileAll(item); err != nil {
				return err
			}
		}
	case string:
		for _, part := range strings.Split(v, "${{")[1:] {
			expression, _, _ := strings.Cut(part, "}}")
			if err := compile("return " + expression); err != nil {
				return err
			}
		}
	}
	return nil
}

func compile(source string) error {
	statements, err := parse.Parse(strings.NewReader(source), "w.yaml")
	if err == nil {
		_, err = lua.Compile(statements, "w.yaml")
	}
	return err
}
