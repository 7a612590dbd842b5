--- Tests of applications: `local testing <const> = require "tidegate.testing"`.

return require "tidegate.testing_library"(require "tidegate.testing_kit")
