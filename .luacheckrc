-- What luacheck takes for granted: `make lint` runs it over every Lua file and wants no warning.
std = "lua51+lua54"
max_line_length = 120

files["spec"] = { std = "+busted" }
files[".busted"] = { std = "max" }
files["tools"] = { std = "lua54" }
files["src/braze/openresty.lua"] = { std = "+ngx_lua" }
files["spec/support/standin"] = { std = "+ngx_lua" }
files["rockspec"] = { std = "rockspec" }
-- Declarations for editors: functions without a body have parameters that nothing uses.
files["src/braze/meta.lua"] = { ignore = { "212", "241" } }
files["src/braze/meta_fake.lua"] = { ignore = { "112", "212", "241" } }
files["src/braze/meta_ledger.lua"] = { ignore = { "112", "212", "241" } }
-- A declaration of an operation a line.
files["src/braze/meta_safe.lua"] = { ignore = { "212", "241" }, max_line_length = false }
files["src/braze/meta_operations.lua"] = { max_line_length = false, max_comment_line_length = false }
-- Tables of cases, a row a line.
files["spec/proof"] = { max_line_length = false }
