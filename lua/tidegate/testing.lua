--- The test kit: `local testing <const> = require "tidegate.testing"`. See docs/testing.md.

local kit <const> = require "tidegate.testing.kit"

return require "tidegate.testing.library"(kit)
