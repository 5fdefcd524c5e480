-- Whose a key is, and what it may do.

local keys = {}

local workspaces = {
  ["braze-standin-key"] = "main",
  ["braze-standin-key-2"] = "second",
}
local without_permission = "braze-standin-key-no-permission"

--- The key of the request's one bearer credential, or nil.
function keys.given()
  local scheme, key = (ngx.var.http_authorization or ""):match "^(%a+) (%S+)$"
  return scheme and scheme:lower() == "bearer" and key or nil
end

--- The name of a key's workspace, or nil; and the one permission that it has, where it has not all.
function keys.find(key)
  if key == without_permission then return "main", "none" end
  local only = key:match "^braze%-standin%-key%-only%-([%l._]+)$"
  if only then return "main", only end
  return workspaces[key] or key:match "^braze%-standin%-key%-w%-[%w_%-]+$"
end

return keys
