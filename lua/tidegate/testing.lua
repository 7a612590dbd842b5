--- The test kit: `local testing <const> = require "tidegate.testing"`. See docs/testing.md.

local kit <const> = require "tidegate.testing_kit"

return require "tidegate.testing_library"(kit)
