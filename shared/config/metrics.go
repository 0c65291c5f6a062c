package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"assay/shared/metric"
)

// metricTypes are the types that a job may name.
func metricTypes() []string {
	names, _ := metric.Types()
	return names
}

var topName = regexp.MustCompile(`^(accuracy|agreement)(?:@top([1-9][0-9]{0,5}))?$`)

// named is the metric that a name alone says: a type, or a type with its K. TopK is 0 where the name does not say it.
func named(name string) (m metric.Spec, ok bool) {
	m.Name = name
	if parts := topName.FindStringSubmatch(name); parts != nil {
		k, _ := strconv.Atoi(parts[2])
		m.Type, m.TopK = parts[1], uint32(k)
	} else if slices.Contains(metricTypes(), name) {
		m.Type = name
	}
	return m, m.Type != ""
}

// metric reads one metric. The usual names say type and K.
func (b builder) metric(j *Job, at string) {
	e, ok := b.entries[at]
	if !ok {
		return
	}
	m, _ := named(b.text(at+".name", ""))
	if m.Name == "" && strings.HasPrefix(at, "engine.") { // Accuracy Checker lets it out
		m.Name = b.text(at+".type", "")
		if m.Name == "accuracy" {
			m.Name = fmt.Sprintf("accuracy@top%d", max(b.whole(at+".top_k", 0), 1))
		}
	}
	if m.Name == "" {
		if !b.failed(at + ".name") {
			b.fail(e.pos, at+".name", "missing")
		}
		return
	}
	m.Type = b.text(at+".type", m.Type)
	if k := uint32(b.whole(at+".top_k", 0)); k != 0 {
		if m.TopK != 0 && m.TopK != k {
			b.fail(b.entries[at+".top_k"].pos, at+".top_k", "%d, but the name says %d", k, m.TopK)
		}
		m.TopK = k
	}
	m.TopK = max(m.TopK, 1)
	if m.Type == "" {
		if b.failed(at + ".type") {
			return
		}
		b.fail(b.entries[at+".name"].pos, at+".name", "%q says no type; give type accuracy%s", m.Name, suggest(m.Name, metricTypes()))
		return
	}
	for _, o := range j.Metrics {
		if o.Name == m.Name {
			b.fail(b.entries[at+".name"].pos, at+".name", "two metrics are called %q", m.Name)
		}
	}
	j.Metrics = append(j.Metrics, m)
}
