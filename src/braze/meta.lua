---@meta braze

-- Declarations of the module `braze` for editors and the Lua language server. Never required: put the directory above
-- this one's into the server's `workspace.library`. Durations are seconds, points in time are UTC epoch seconds.
-- `require "braze.safe"` gives the table that is declared here as the field `safe`. The modules for hosts are files
-- beside this one, which the server finds by their names: each is a `braze.yielding`. The operations other than
-- create_send_id are declared in meta_operations.lua, `safe` and the modules for hosts in meta_safe.lua.

---A client for the messaging endpoints of the Braze REST API.
---
---Every function raises a `braze.error` when something goes wrong; those of `safe` return `nil` and that error instead.
---@class braze: braze.functions
---@field _VERSION string `"braze x.y.z"`
---The REST endpoint of each of Braze's instances by its name: `["US-01"] = "https://rest.iad-01.braze.com"`, …
---
---[Endpoints](https://www.braze.com/docs/api/basics/)
---@field instances table<string, string>
---The same functions in the style of `cjson.safe`: what would raise returns `nil, err`.
---@field safe braze.safe
local braze = {}

---What went wrong. The list is closed.
---
---[Errors and responses](https://www.braze.com/docs/api/errors)
---@alias braze.kind
---| "usage" # a bad option or parameter, a closed client, or a place that can't wait; nothing was sent
---| "network" # DNS, connecting, a connection that broke
---| "tls" # the handshake, or a certificate that is not trusted
---| "timeout" # a deadline passed
---| "rate_limited" # status 429, or no send ID of the day is left, as the ledger knows
---| "auth" # status 401 or 403
---| "rejected" # any other 4xx
---| "server" # 5xx
---| "protocol" # an answer that is not the documented one; redirects too, which are never followed
---| "cancelled" # the request or its client was closed
---| "busy" # another process holds the job; nothing was sent
---| "ledger" # the ledger could not be read or written; nothing was sent

---The parameters. A field with any other name raises an error of kind `usage`.
---@class (exact) braze.create_send_id.params
---The Campaign API Identifier, at the foot of the campaign's page in the dashboard. Not empty, UTF-8.
---
---[API identifier types](https://www.braze.com/docs/api/identifier_types/)
---@field campaign_id string
---The ID to make: 1 to 64 ASCII characters. Left out, Braze makes one up; then a request whose answer was lost is not
---sent again.
---
---[API identifier types](https://www.braze.com/docs/api/identifier_types/)
---@field send_id? string

---What any call takes, that of each page of `client:each` as well. The limits win over the client's.
---@class (exact) braze.any_call_options
---Seconds for the whole call: encoding, the wait for a connection, DNS, TLS, every attempt, every pause. Above 0,
---at most 600.
---@field timeout? number
---Seconds for DNS, TCP and TLS of one attempt. Above 0, at most 600.
---@field connect_timeout? number
---Most further attempts after the first: 0 to 10. 0 = never.
---@field retries? integer
---Added to the query: texts, numbers, booleans, and lists of those.
---@field query? table<string, any>
---Lets a request by method and path be sent again although an answer was lost. A GET always is; an operation has its
---own rule, which this does not change.
---@field repeatable? boolean

---Options of one call.
---@class (exact) braze.call_options: braze.any_call_options
---The name of what is to be done once, for any call that is no GET: 1 to 255 bytes. The client needs a `ledger`.
---@field job? string

---Options of a call that is started.
---@class (exact) braze.start_options: braze.call_options
---Called once with what came of the call, inside `client:step` or `client:wait`, or from a host's loop: the error or
---the result is nil. It may call `start`, `cancel` and `close`, not `step` or `client:wait`.
---@field on_done? fun(err: braze.error?, result: braze.result?)

---What a client is made with. `api_key` and `endpoint` go together: give both, or neither and the environment has both.
---@class (exact) braze.options
---REST API key with the permissions of what it calls (`braze.operations` names them). Else BRAZE_API_KEY.
---
---[REST API keys](https://www.braze.com/docs/api/basics/)
---@field api_key? string
---An instance's name (`"EU-01"`) or `https://…`, with a path if a gateway has one in front; no user, query or fragment.
---`http://` only for a loopback host. Else BRAZE_REST_ENDPOINT.
---
---[Endpoints](https://www.braze.com/docs/api/basics/)
---@field endpoint? string
---Seconds for a whole call: encoding, the wait for a connection, DNS, TLS, every attempt, every pause. Above 0,
---at most 600.
---Else BRAZE_TIMEOUT, else 30.
---@field timeout? number
---Seconds for DNS, TCP and TLS of one attempt. Above 0, at most 600. Default 10.
---@field connect_timeout? number
---Most further attempts after the first: 0 to 10, default 2. 0 = never.
---@field retries? integer
---Most connections to the host at a time: 1 to 1,000, default 16. A blocking call has one of its own beside them.
---@field max_connections? integer
---PEM bundle, or a directory made by `openssl rehash`. Else BRAZE_CA_FILE, else the system's store.
---@field ca_file? string
---URL of an HTTP proxy, reached by CONNECT; `""` = none. Else https_proxy with no_proxy (lower case), read once here.
---Never used for a loopback endpoint.
---@field proxy? string
---Where it is written down what was done: a path, `postgresql://…`, `redis://…` or `rediss://…`. Else BRAZE_LEDGER.
---@field ledger? string
---The Braze workspace whose jobs and day's quota are shared in the ledger. Else BRAZE_WORKSPACE, else the endpoint.
---@field workspace? string
---Called with each event of each call, on the Lua thread, when the call is done and before its own `on_done`. It can't
---yield. What it raises changes no call: `step` and `wait` raise it, after a blocking call it is a warning.
---@field on_event? fun(event: braze.event)

---What happened on the way of a call. It never holds the key, a body, the values of a query, or the data of a user.
---@alias braze.event braze.event.attempt|braze.event.retry|braze.event.call

---One request, or one connection that failed. Each part's seconds are 0 where it was not needed, nil where it was not
---reached.
---@class braze.event.attempt
---@field type "attempt"
---@field operation string
---@field time number when it ended, UTC epoch seconds
---@field method "GET"|"POST"|"PUT"|"PATCH"|"DELETE"
---@field path string without a query
---@field server_address string
---@field server_port integer
---@field status? integer
---@field kind? braze.kind nil on success
---@field resend_count integer attempts of the same call before this one
---@field elapsed number seconds
---@field name_lookup? number seconds
---@field connect? number seconds of TCP
---@field tls? number seconds of the handshake
---@field first_byte? number seconds from when the request could leave to the answer's first byte
---@field connection_reused boolean
---@field sent boolean whether the request may have left
---@field request_id? string
---@field rate_limit braze.rate_limit
---@field campaign_id? string
---@field send_id? string

---A pause before another attempt begins.
---@class braze.event.retry
---@field type "retry"
---@field operation string
---@field time number UTC epoch seconds
---@field pause number seconds
---@field kind? braze.kind
---@field status? integer

---A call ended.
---@class braze.event.call
---@field type "call"
---@field operation string
---@field time number UTC epoch seconds
---@field kind? braze.kind nil on success
---@field status? integer
---@field attempts integer
---@field elapsed number seconds
---@field maybe_applied boolean
---@field replayed? true

---How much is left. What the service did not send, or sent malformed, is nil, never 0.
---
---[API rate limits](https://www.braze.com/docs/api/api_limits/)
---@class braze.rate_limit
---@field limit? integer most requests in the window
---@field remaining? integer requests left in it
---@field reset? integer when it ends, UTC epoch seconds

---What a call returned: the answer's own fields, and ours, which win over a field of the same name. A JSON null is an
---absent field.
---@class braze.result
---@field body? any an answer that is no JSON object
---@field next? table<string, string> the query of the next page, where a Link header of the same host names one
---@field status integer HTTP status, 200 to 299
---@field rate_limit braze.rate_limit
---@field request_id? string the response's `x-request-id`; Braze's support can use it
---@field attempts integer requests that began to leave, the last included
---@field elapsed number seconds from where the method was entered
---@field replayed? true it was done before, with the same `job`: nothing was sent now
---@field ledger_error? string the call went well, and the ledger could not be written

---A send ID that was made.
---
---[Create send IDs](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_create_send_ids/)
---@class braze.create_send_id.result: braze.result
---@field message "success"
---@field send_id string the ID that was made, never empty
---@field errors? (string|table)[] minor errors, where the service sent some

---What went wrong. `tostring(err)` is one line; a string can be concatenated with it on either side.
---
---[Errors and responses](https://www.braze.com/docs/api/errors)
---@class braze.error
---@field kind braze.kind
---@field message string what happened, and with which value; control characters of outside text are escaped
---@field hint? string what to do next
---@field where string `"file.lua:12:"` of the caller, or `""`
---@field maybe_applied boolean true only where the service may have done what was asked; never for a GET
---@field attempts integer requests that began to leave, the last included
---@field elapsed number seconds; 0 for `usage`
---@field rate_limit braze.rate_limit
---@field status? integer HTTP status, where one arrived
---@field retry_at? integer UTC epoch seconds: when the service said to call again
---@field operation? string what was called, once that is known: `"create_send_id"`, `"POST /users/track"`
---@field page? integer of `client:each`: the page that failed, counted from 0 or from `params.page`
---@field errors? (string|table)[] where the body had it
---@field body? string the first 4096 bytes of what arrived, without the API key
---@field request_id? string the response's `x-request-id`
---@field curl_code? integer where libcurl failed
---@field curl_message? string where libcurl failed
---@operator concat(string): string

---Fields for `braze.error`: any of an error's, and no other. What is always present in an error is filled in where it
---is left out; `kind` too, from a `status` of 300 or more.
---@class braze.error.fields
---@field kind? braze.kind
---@field message? string
---@field hint? string
---@field where? string
---@field maybe_applied? boolean
---@field attempts? integer
---@field elapsed? number
---@field rate_limit? braze.rate_limit
---@field status? integer
---@field retry_at? integer
---@field operation? string
---@field page? integer
---@field errors? (string|table)[]
---@field body? string
---@field request_id? string
---@field curl_code? integer
---@field curl_message? string

---A call that was started. It keeps its client alive.
---@class braze.request
local request = {}

---Whether the answer is there. It needs no `client:step` for that.
---
---    if request:done() then print(request:result().send_id) end
---@return boolean
---@nodiscard
function request:done() end

---The result, or raises its error; every time the same. Raises an error of kind `usage` while the request is not done.
---
---    local good, result = pcall(request.result, request)
---@return braze.result
function request:result() end

---Waits until it is done, or until so many seconds have passed. Runs no `on_done`. It blocks this thread; with a module
---for a host the coroutine waits.
---
---    if request:wait(5) then print(request:result().status) end
---@param seconds? number as long as it takes, if left out
---@return boolean done
function request:wait(seconds) end

---Ends it at once, unless it is done: an error of kind `cancelled`, whose `maybe_applied` says whether it had left.
---
---    request:cancel()
function request:cancel() end

---What every client has, that of a module for a host too.
---@class braze.any_client: braze.methods
local any_client = {}

---Makes a send ID and waits for it. Raises a `braze.error` of any kind.
---
---Without `send_id` it is sent again only when the request certainly never left; with one, also after a lost answer.
---A workspace has 100 of them a day, counted as pairs of campaign and send ID.
---
---[Create send IDs](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_create_send_ids/),
---[API rate limits](https://www.braze.com/docs/api/api_limits/)
---@param params braze.create_send_id.params
---@param options? braze.call_options
---@return braze.create_send_id.result
function any_client:create_send_id(params, options) end

---Begins a call and returns at once. Raises an error of kind `usage` for bad arguments, and sends nothing then.
---
---    client:start("create_send_id", { campaign_id = "campaign_identifier" }, {
---      on_done = function(err, result) print(err or result.send_id) end,
---    })
---@param name braze.operation_name|string an operation, or `"METHOD /path"`
---@param params? table
---@param options? braze.start_options
---@return braze.request
function any_client:start(name, params, options) end

---Waits until nothing is pending, or until so many seconds have passed. A client of `braze` delivers meanwhile, as
---`step` does, and blocks this thread; with a module for a host the coroutine waits.
---
---    if not client:wait(5) then print(client:pending() .. " are still under way") end
---@param seconds? number as long as it takes, if left out
---@return boolean delivered whether nothing is pending
function any_client:wait(seconds) end

---How many requests were started and not delivered yet; those without `on_done` count too.
---
---    if client:pending() == 0 then client:close() end
---@return integer
---@nodiscard
function any_client:pending() end

---Ends the connections and forgets the key: what is in flight is `cancelled`, and can still be delivered. A call on a
---closed client raises an error of kind `usage`. Closing twice does nothing; it never waits for the network.
---
---    client:close()
function any_client:close() end

---A workspace's key, host, limits and connections. Make one for each workspace and keep it.
---It belongs to one Lua state. `<close>` and the collector close it too.
---@class braze.client: braze.any_client
local client = {}

---Runs the `on_done` of what has finished. Never waits. Raises what an `on_done` raised, after all have run.
---
---    client:step(10) -- in each frame of a game
---@param most? integer deliver so many at most; all that have finished, if left out
---@return integer delivered
function client:step(most) end

---A descriptor to poll, the same for the client's life: readable while `step` has something to deliver.
---
---    local descriptor = client:pollfd()
---@return integer
---@nodiscard
function client:pollfd() end

---The same as `pollfd`, by the name that luasocket's `select` looks for.
---
---    if #require("socket").select({ client }, nil, 1) > 0 then client:step() end
---@return integer
---@nodiscard
function client:getfd() end

---What to poll the descriptor for, as cqueues asks it.
---
---    require("cqueues").poll(client, 1)
---@return "r"
---@nodiscard
function client:events() end

---Makes a send ID on a client that is made from the environment at the first use. Raises a `braze.error` of any kind.
---
---    local result = braze.create_send_id {
---      campaign_id = "campaign_identifier", send_id = "spring-sale",
---    }
---
---[Create send IDs](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_create_send_ids/)
---@param params braze.create_send_id.params
---@param options? braze.call_options
---@return braze.create_send_id.result
function braze.create_send_id(params, options) end

---A client of its own: key, host, limits, connections. Nothing is sent yet. Raises an error of kind `usage`.
---
---    local client = braze.new { api_key = key, endpoint = "EU-01", timeout = 10 }
---
---[Endpoints and REST API keys](https://www.braze.com/docs/api/basics/)
---@param options? braze.options
---@return braze.client
function braze.new(options) end

---Whether the value is one of this module's error objects.
---
---    local good, err = pcall(braze.create_send_id, { campaign_id = "no-such-campaign" })
---    if not good and braze.is_error(err) then print(err.kind, err.message) end
---@param value any
---@return boolean
---@nodiscard
function braze.is_error(value) end

---An error object for your own specs, as a call would raise it. Raises an error of kind `usage` for an unknown kind.
---
---    braze.error { kind = "rate_limited", status = 429, retry_at = os.time() + 60 }
---@param fields braze.error.fields
---@return braze.error
---@nodiscard
function braze.error(fields) end

---A ledger, to look at and to settle what nobody knows. Touches nothing before the first method. Raises `usage`.
---
---    local ledger = braze.ledger("/var/lib/app/braze.db", "shop-eu")
---@param url? string as the option `ledger`; else BRAZE_LEDGER
---@param workspace? string as the option; else BRAZE_WORKSPACE, else the endpoint of the environment
---@return braze.ledger
function braze.ledger(url, workspace) end

return braze
