package main

import (
	"regexp"
	"strings"
)

// potFlags are the flags of POT's command line that are not ours: what to do instead. Its --model, --preset, --max-drop and
// --output-dir are flags here too.
var potFlags = map[string]string{
	"-c": "name the job file without a flag: assay run job.json", "--config": "name the job file without a flag: assay run job.json",
	"-q": "run always keeps accuracy; DefaultQuantization can be named in a job file", "--quantize": "run always keeps accuracy; DefaultQuantization can be named in a job file",
	"-w": "an ONNX file holds or names its weights itself", "--weights": "an ONNX file holds or names its weights itself",
	"-n": "model.model_name in a job file names the result", "--name": "model.model_name in a job file names the result",
	"--engine": "samples are given by --data and --labels", "--ac-config": "the Accuracy Checker's entry goes into engine.datasets of a job file",
	"--data-source": "write --data",
	"-e":            "the result is always evaluated", "--evaluate": "the result is always evaluated",
	"-d": "results always go directly into --output-dir", "--direct-dump": "results always go directly into --output-dir",
	"--log-level":    "progress goes to the terminal, as lines, or as JSON with --json",
	"--progress-bar": "a terminal gets a bar by itself", "--stream-output": "a terminal gets a bar by itself; --json gives one event a line",
	"--keep-uncompressed-weights": "INT8 weights are stored as INT8, since the runtime would quantize float ones again",
	"-s":                          "the float model is not copied", "-sm": "the float model is not copied", "--save-model": "the float model is not copied",
}

var unknownFlag = regexp.MustCompile(`^unknown flag (--?[A-Za-z][A-Za-z-]*)`)

// explainFlag is the parser's text, or for a flag of POT what to do in its place.
func explainFlag(text string) string {
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		if why, ok := potFlags[m[1]]; ok {
			return m[1] + " is a flag of POT that is not supported: " + why
		}
	}
	return strings.TrimSpace(text)
}
