package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"assay/shared/plan"
	"assay/shared/store"
	"assay/shared/wire"
)

// The server's codes for a publish that lost the race for a subject: on a stream of one replica, and on a replicated one.
const (
	codeWrongLastSequence           jetstream.ErrorCode = 10071
	codeWrongLastSequenceReplicated jetstream.ErrorCode = 10164
)

// PublishResult stores the result of a cell unless one is stored already. won is false when another was first, which is
// success all the same: the values are equal. header is no part of the value, and of a loser it is lost. A broker that does not
// take it, because it is away or its stream is full, is store.ErrUnavailable.
func (b *Broker) PublishResult(ctx context.Context, r wire.Result, header nats.Header) (won bool, err error) {
	payload, err := wire.Encode(r)
	if err != nil {
		return false, err
	}
	msg := &nats.Msg{Subject: wire.ResultSubject(r.Cell), Data: payload, Header: header}
	err = store.Patiently(ctx, func(ctx context.Context) error {
		_, err := b.JS.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(0))
		return err
	})
	var api *jetstream.APIError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &api) && (api.ErrorCode == codeWrongLastSequence || api.ErrorCode == codeWrongLastSequenceReplicated):
		return false, nil
	}
	return false, fmt.Errorf("result of cell %.8x: publish: %w: %w", r.Cell[:], store.ErrUnavailable, err)
}

// StoredResult reads the result of a cell; ok is false, and the error nil, when there is none. A broker out of reach is
// store.ErrUnavailable, bytes that are no result of this version are the decoder's error.
func (b *Broker) StoredResult(ctx context.Context, cell plan.Digest) (r wire.Result, header nats.Header, ok bool, err error) {
	var m *jetstream.RawStreamMsg
	err = store.Patiently(ctx, func(ctx context.Context) (err error) {
		m, err = b.Results.GetLastMsgForSubject(ctx, wire.ResultSubject(cell))
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return wire.Result{}, nil, false, nil
	case err != nil:
		return wire.Result{}, nil, false, fmt.Errorf("result of cell %.8x: read: %w: %w", cell[:], store.ErrUnavailable, err)
	}
	if r, err = wire.DecodeResult(m.Data); err != nil {
		return wire.Result{}, nil, false, fmt.Errorf("result of cell %.8x: %w", cell[:], err)
	}
	return r, m.Header, true, nil
}
