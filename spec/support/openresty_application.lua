-- An application in nginx for specs: a client made in the master, and a few functions and locations around it.
--
--   local server = application.start(url, application.content("/path", "ngx.print(app.call())"), settings)
--   application.note(server, "name") ; application.stop()    (settings: see spec/support/openresty.lua)

local openresty = require "spec.support.openresty"

local application = {}

-- What each nginx here has in common: a client made in the master, and a few functions.
function application.http(url)
  return ([[
    client_body_timeout 60s;
    init_by_lua_block {
      local braze = require "braze"
      app = { braze = braze, parameters = { campaign_id = "campaign" }, notes = ngx.shared.notes }
      app.options = { api_key = "braze-key-0123456789", endpoint = "%s", retries = 0, timeout = 20 }
      app.client, app.safe = braze.new(app.options), braze.safe.new(app.options)
      function app.call() return app.client:create_send_id(app.parameters).send_id end
      function app.note(name, value) app.notes:set(name, tostring(value)) end
    }
  ]]):format(url)
end

--- A location that runs some Lua as content.
function application.content(path, program)
  return ("location = %s { content_by_lua_block { %s } }\n"):format(path, program)
end

application.locations = application.content("/note", "ngx.print(app.notes:get(ngx.var.arg_name) or '')")
  .. application.content("/pending", "ngx.print(app.client:pending())")
  .. application.content("/worker", "ngx.print(ngx.worker.pid())")
  .. application.content("/call", "ngx.print(app.call())")

local servers = {}

--- Has stop end this nginx, too.
function application.keep(server)
  servers[#servers + 1] = server
  return server
end

function application.start(url, locations, settings)
  settings = settings or {}
  settings.http = application.http(url) .. (settings.http or "")
  settings.server = application.locations .. locations
  local server = openresty.start(settings)
  return application.keep(server)
end

--- What the application noted under the name, once it is there.
function application.note(server, name)
  return openresty.eventually(function()
    local value = server:get("/note?name=" .. name)
    return value ~= "" and value
  end, 10)
end

--- Whether the client has nothing left to deliver, now or soon: an answer that nobody had to wait for is taken off its
--- list a moment later.
function application.is_quiet(server)
  return openresty.eventually(function() return server:get "/pending" == "0" end, 10)
end

--- The body of the answer to server:send.
function application.body_of(connection)
  local text = connection:receive "*a"
  connection:close()
  return (text or ""):match "\r\n\r\n(.*)$"
end

--- Ends every nginx that was started here.
function application.stop()
  while servers[1] do table.remove(servers):stop() end
end

-- What braze.openresty keeps for the worker, which no name leads to.
application.find_state = [[
  local function upvalue(of, wanted)
    for index = 1, 60 do
      local name, value = debug.getupvalue(of, index)
      if name == wanted then return value end
    end
  end
  local own_state = upvalue(app.client.module.host.watch, "own_state")
  local state = own_state()
]]

return application
