package report

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/coordinator/cause"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden pins report.json, report.html and the summary. After a change of the page look at testdata/*.html in a browser.
func TestGolden(t *testing.T) {
	for name, r := range examples() {
		t.Run(name, func(t *testing.T) {
			text, err := r.JSON()
			require.NoError(t, err)
			golden(t, name+".json", text)
			page, err := r.HTML(map[int][]byte{4: {1, 2, 3}, 5: {4}})
			require.NoError(t, err)
			golden(t, name+".html", page)
			var b strings.Builder
			require.NoError(t, r.Summary(&b, []string{"out/net_int8.onnx", "out/report.json", "out/report.html"}))
			golden(t, name+".txt", []byte(b.String()))
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run with -update if this is meant")
}

// TestParse: report.json read back is the report, numbers that are none included.
func TestParse(t *testing.T) {
	for name, r := range examples() {
		text, err := r.JSON()
		require.NoError(t, err)
		back, err := Parse(text)
		require.NoError(t, err, name)
		again, err := back.JSON()
		require.NoError(t, err)
		require.Equal(t, string(text), string(again), name)
	}
	_, err := Parse([]byte(`{"decisions": 3}`))
	require.ErrorContains(t, err, "report.json")
}

// TestEmpty: a report without a metric has no page and no summary, and says so.
func TestEmpty(t *testing.T) {
	_, err := (&Report{}).HTML(nil)
	require.EqualError(t, err, "report.html: the report holds no metric")
	var b strings.Builder
	require.EqualError(t, (&Report{}).Summary(&b, nil), "summary: the report holds no metric")
	require.Empty(t, b.String())
}

// TestPageIsAlone: the page loads nothing from anywhere, and what models are called cannot become markup.
func TestPageIsAlone(t *testing.T) {
	r := missed()
	evil := `"><script>alert(1)</script>`
	r.Decisions.Model.Name, r.Decisions.Groups[1].Operations[0], r.Decisions.Operations[0].Name = evil, evil, evil
	r.Decisions.Notes, r.Run.Command, r.Decisions.Metrics[0].Name = []string{evil}, evil, evil
	r.Decisions.Flips.Samples = []Flip{{Sample: 4, Name: evil}, {Sample: 5, Name: evil}}
	r.Decisions.Groups[0].Causes = []cause.Cause{{Kind: evil, Value: evil, Text: evil}}
	page, err := r.HTML(map[int][]byte{4: []byte("a picture")})
	require.NoError(t, err)
	require.NotContains(t, string(page), "<script")
	inside := regexp.MustCompile(`url\(#tip\)|<img src="data:image/jpeg;base64,[A-Za-z0-9+/=]*"`) // all that it may refer to
	require.Len(t, regexp.MustCompile(`<img`).FindAllString(string(page), -1), 1)
	require.False(t, regexp.MustCompile(`(?i)(src|href)=|url\(|@import|https?:`).MatchString(inside.ReplaceAllString(string(page), "")))
	require.NotContains(t, string(page), "ZgotmplZ")
	require.NotRegexp(t, `NaN|Inf\b|%!`, string(page))
}

// TestPageIsWellFormed: every element is closed where it should be.
func TestPageIsWellFormed(t *testing.T) {
	for name, r := range examples() {
		page, err := r.HTML(nil)
		require.NoError(t, err)
		d := xml.NewDecoder(strings.NewReader(string(page)))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		var open []string
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			switch e := token.(type) {
			case xml.StartElement:
				open = append(open, e.Name.Local)
			case xml.EndElement:
				require.NotEmpty(t, open, name)
				require.Equal(t, open[len(open)-1], e.Name.Local, name)
				open = open[:len(open)-1]
			}
		}
		require.Empty(t, open, name)
	}
}
