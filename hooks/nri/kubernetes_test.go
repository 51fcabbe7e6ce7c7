package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"
)

// object is what the test looks at of each object in the manifest.
type object struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Rules    []struct{ APIGroups, Verbs []string }
	Spec     struct {
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		Template struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     struct {
				ServiceAccountName string `yaml:"serviceAccountName"`
				HostPID            bool   `yaml:"hostPID"`
				Containers         []struct {
					Name         string
					VolumeMounts []struct{ Name, MountPath, MountPropagation string } `yaml:"volumeMounts"`
				}
				Volumes []struct{ Name string }
			}
		}
	}
}

// The manifest is YAML, and its parts fit together.
func TestManifest(t *testing.T) {
	text, err := os.ReadFile("kubernetes/lxcfs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]object)
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kinds[o.Kind] = o
	}
	for _, kind := range []string{"Namespace", "ServiceAccount", "Role", "RoleBinding", "DaemonSet"} {
		if o, ok := kinds[kind]; !ok || o.Metadata.Name != "lxcfs" || kind != "Namespace" && o.Metadata.Namespace != "lxcfs" {
			t.Errorf("%s: got %+v", kind, o.Metadata)
		}
	}
	set := kinds["DaemonSet"].Spec
	pod := set.Template.Spec
	if pod.ServiceAccountName != "lxcfs" || !pod.HostPID || set.Template.Metadata.Annotations[Annotation] != "off" {
		t.Errorf("got %+v", pod)
	}
	for k, v := range set.Selector.MatchLabels {
		if set.Template.Metadata.Labels[k] != v {
			t.Errorf("label %s is not the selector's", k)
		}
	}
	var volumes []string
	for _, v := range pod.Volumes {
		volumes = append(volumes, v.Name)
	}
	for _, c := range pod.Containers {
		for _, m := range c.VolumeMounts {
			if !slices.Contains(volumes, m.Name) {
				t.Errorf("container %s mounts %s, which is no volume", c.Name, m.Name)
			}
		}
	}
}
