package run

import (
	"context"
	"errors"
	"fmt"

	"assay/shared/config"
	"assay/shared/dataset"
	"assay/shared/plan"
	"assay/shared/store"
)

// data is the samples of a job: one manifest for the search, and for calibration the same or one of its own. Indices of
// searchView count in search, those of calibView in calibration; with one data set for both the two are the same
// manifest and the views do not overlap.
type data struct {
	search      dataset.Inputs
	calibration dataset.Inputs
	names       []string
	pictures    bool // the samples of search are pictures
	calibNames  []string
	calibView   plan.View
	searchView  plan.View
	notes       []string
}

// sourceOf is where the samples that are searched come from.
func sourceOf(j *config.Job, m *model) dataset.Source {
	return dataset.Source{Data: j.Data.Source, Labels: j.Data.Labels, Scores: scored(j), Inputs: m.wants(), Prep: j.Data.Prep, Background: j.Data.Background}
}

// openData opens what the job names, without decoding anything. calibration is nil when the job takes it from the
// searched data.
func openData(ctx context.Context, j *config.Job, m *model) (search, calibration *dataset.Set, err error) {
	src := sourceOf(j, m)
	if search, err = dataset.Open(ctx, src); err != nil {
		return nil, nil, &InputError{err}
	}
	if j.Calibration.Source != "" {
		src.Data, src.Labels, src.Rows = j.Calibration.Source, "", search.Rows
		if calibration, err = dataset.Open(ctx, src); err != nil {
			return nil, nil, &InputError{fmt.Errorf("calibration %w (--calib takes a number of samples, every:K or the path of data)", err)}
		}
	}
	return search, calibration, nil
}

// decode reads every sample once and stores the pieces. A sample that cannot be read ends the job before any search: a
// result on fewer samples than the user gave is not what was asked for. progress hears of the samples to search and of those that
// are for calibration only, as one.
func decode(ctx context.Context, j *config.Job, search, calibration *dataset.Set, from shelf, progress func(done, total int)) (*data, error) {
	d := &data{names: search.Names, pictures: search.Pictures(), notes: search.Notes}
	var apart *dataset.Set // calibration samples of their own
	total := search.Len()
	if calibration != nil {
		apart = calibration.Select(toInts(j.Calibration.Pick(calibration.Len())))
		total += apart.Len()
	}
	in, err := from.build(ctx, search, func(done, _ int) { progress(done, total) })
	if err != nil {
		return nil, inputUnless(ctx, err)
	}
	d.search, d.calibration, d.calibNames = in, in, search.Names
	own, rest, err := j.Calibration.Split(search.Len())
	if err != nil {
		return nil, &InputError{err}
	}
	d.searchView.Samples, d.calibView.Samples = rest, own
	if apart != nil {
		in, err := from.build(ctx, apart, func(done, _ int) { progress(search.Len()+done, total) })
		if err != nil {
			return nil, inputUnless(ctx, fmt.Errorf("calibration %w", err))
		}
		d.calibration, d.calibNames = in, calibration.Names
		for i := range in.Count {
			d.calibView.Samples = append(d.calibView.Samples, i)
		}
	}
	return d, nil
}

// inputUnless is err as an error of the user's data, but for an interruption and the store. The cause of ctx says who
// interrupted, which ctx.Err does not.
func inputUnless(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, store.ErrUnavailable):
		return err
	}
	return &InputError{err}
}

func toInts(v []uint32) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}
