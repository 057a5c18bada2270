#!/usr/bin/env bash
# The types as an editor sees them: test/types.
source "$(dirname "$0")/lib/common.sh"

check 'type tests' tsd --files 'test/types/**/*.test-d.ts'
