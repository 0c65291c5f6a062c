// Package onnxpb holds Go types of ONNX's protobuf messages, generated from onnx-ml.proto (IR version 14, ONNX 1.23,
// Apache-2.0). Only package onnx imports it: no other room may depend on ONNX's messages. Nothing written by hand may
// enter but this file and the check that generating again changes nothing.
package onnxpb

//go:generate go -C gen run .
