//go:build tools

// Package tools pins the Pulumi CLI that levee.toolchain builds where no released one can be had.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
