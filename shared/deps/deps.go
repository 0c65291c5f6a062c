//go:build deps

// Package deps keeps the module's requirements while the rooms that use them are being built.
package deps

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/cockroachdb/datadriven"
	_ "github.com/jedib0t/go-pretty/v6/table"
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/nats-io/nats-server/v2/server"
	_ "github.com/nats-io/nats.go"
	_ "github.com/nats-io/nats.go/jetstream"
	_ "github.com/stretchr/testify/require"
	_ "github.com/tailscale/hujson"
	_ "github.com/vbauerster/mpb/v8"
	_ "github.com/vmihailenco/msgpack/v5"
	_ "github.com/yalue/onnxruntime_go"
	_ "go.uber.org/goleak"
	_ "go.uber.org/zap"
	_ "golang.org/x/image/draw"
	_ "golang.org/x/sync/singleflight"
	_ "golang.org/x/sys/cpu"
	_ "golang.org/x/term"
	_ "google.golang.org/protobuf/proto"
	_ "google.golang.org/protobuf/types/descriptorpb"
	_ "pgregory.net/rapid"
)
