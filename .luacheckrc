std = "lua54"
max_line_length = 100
self = false -- hooks are methods: function Chat:connected(conn)
exclude_files = { "build", "**/node_modules" }

files["lua/tidegate/meta"].ignore = { "2.." } -- definitions: their parameters are never used
files["spec"].max_line_length = 120 -- whole sentences that are expected
files["spec/lua"].std = "+busted"
files["spec/kit"].std = "+busted"
files["examples/**/spec"].std = "+busted"
