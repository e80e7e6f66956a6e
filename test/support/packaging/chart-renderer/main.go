// Renders a Helm chart without Helm: with the same parts (text/template, sprig, sigs.k8s.io/yaml) and the functions and objects that
// Helm 3 adds to them (pkg/engine). There is no API server: "lookup" finds nothing, and nobody admits or defaults what is rendered.
//
//	chart-renderer CHART <request.json >rendered.json
//
// A request is {"release": …, "namespace": …, "values": {…}, "apiVersions": […]}; the answer has a text for each template by its path.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"slices"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

type request struct {
	Release     string      `json:"release"`
	Namespace   string      `json:"namespace"`
	Values      object      `json:"values"`
	APIVersions apiVersions `json:"apiVersions"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string) error {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	files, err := readFolder(folder)
	if err != nil {
		return err
	}
	chart, defaults := object{}, object{}
	if err := yaml.Unmarshal(files["Chart.yaml"], &chart); err != nil {
		return err
	}
	if err := yaml.Unmarshal(files["values.yaml"], &defaults); err != nil {
		return err
	}
	rendered, err := render(files, object{
		"Values":       coalesce(asked.Values, defaults),
		"Chart":        titled(chart),
		"Release":      object{"Name": asked.Release, "Namespace": asked.Namespace, "Service": "Helm", "IsInstall": true, "IsUpgrade": false, "Revision": 1},
		"Capabilities": object{"KubeVersion": object{"Version": "v1.34.0", "Major": "1", "Minor": "34"}, "APIVersions": asked.APIVersions},
		"Files":        others(files),
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(rendered)
}

// As Helm reads a folder (internal/sympath): it follows symbolic links.
func readFolder(folder string) (map[string][]byte, error) {
	files := map[string][]byte{}
	return files, readInto(files, folder, "")
}

func readInto(files map[string][]byte, folder, below string) error {
	entries, err := os.ReadDir(path.Join(folder, below))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := path.Join(below, entry.Name())
		info, err := os.Stat(path.Join(folder, name))
		if err != nil {
			return err
		}
		if info.IsDir() {
			err = readInto(files, folder, name)
		} else {
			files[name], err = os.ReadFile(path.Join(folder, name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// As Helm merges values: maps key by key, everything else as a whole; null takes a default away.
func coalesce(values, defaults object) object {
	merged := object{}
	for key, value := range defaults {
		merged[key] = value
	}
	for key, value := range values {
		theirs, isMap := value.(object)
		ours, wasMap := defaults[key].(object)
		switch {
		case value == nil && defaults[key] != nil:
			delete(merged, key)
		case isMap && wasMap:
			merged[key] = coalesce(theirs, ours)
		default:
			merged[key] = value
		}
	}
	return merged
}

// Templates see the chart as a struct of Go, whose fields begin with a capital.
func titled(chart object) object {
	fields := object{}
	for key, value := range chart {
		fields[strings.ToUpper(key[:1])+key[1:]] = value
	}
	return fields
}

func render(files map[string][]byte, values object) (map[string]string, error) {
	chart := values["Chart"].(object)["Name"].(string)
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(functions(root))
	names := []string{}
	for name := range files {
		if strings.HasPrefix(name, "templates/") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if _, err := root.New(path.Join(chart, name)).Parse(string(files[name])); err != nil {
			return nil, err
		}
	}
	rendered := map[string]string{}
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		values["Template"] = object{"Name": path.Join(chart, name), "BasePath": path.Join(chart, "templates")}
		var text strings.Builder
		if err := root.ExecuteTemplate(&text, path.Join(chart, name), values); err != nil {
			return nil, err
		}
		rendered[name] = strings.ReplaceAll(text.String(), "<no value>", "")
	}
	return rendered, nil
}

func functions(root *template.Template) template.FuncMap {
	added := sprig.TxtFuncMap()
	delete(added, "env")
	delete(added, "expandenv")
	added["include"] = func(name string, data interface{}) (string, error) {
		var text strings.Builder
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	added["tpl"] = func(source string, data interface{}) (string, error) {
		var text strings.Builder
		clone, err := root.Clone()
		if err != nil {
			return "", err
		}
		parsed, err := clone.New("tpl").Parse(source)
		if err != nil {
			return "", err
		}
		err = parsed.Execute(&text, data)
		return text.String(), err
	}
	added["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	added["lookup"] = func(_, _, _, _ string) object { return object{} }
	added["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	added["toJson"] = func(value interface{}) (string, error) {
		text, err := json.Marshal(value)
		return string(text), err
	}
	// JSON is YAML.
	for _, format := range []string{"Yaml", "Json"} {
		added["from"+format] = parsed[object]
		added["from"+format+"Array"] = parsed[[]interface{}]
	}
	return added
}

// Helm puts an error into the answer; here it ends the rendering.
func parsed[Value any](text string) (Value, error) {
	var value Value
	err := yaml.Unmarshal([]byte(text), &value)
	return value, err
}

// Those beyond the ones of Kubernetes that the cluster has.
type apiVersions []string

func (known apiVersions) Has(version string) bool { return slices.Contains(known, version) }

type chartFiles map[string][]byte

// What templates may read: all but the templates and what makes the chart.
func others(files map[string][]byte) chartFiles {
	kept := chartFiles{}
	for name, text := range files {
		switch {
		case strings.HasPrefix(name, "templates/"), name == "Chart.yaml", name == "values.yaml", name == "values.schema.json":
		default:
			kept[name] = text
		}
	}
	return kept
}

func (files chartFiles) Get(name string) string { return string(files[name]) }

func (files chartFiles) Glob(pattern string) chartFiles {
	matching := chartFiles{}
	for name, text := range files {
		if matches, _ := path.Match(pattern, name); matches {
			matching[name] = text
		}
	}
	return matching
}
