---@meta braze.fake

-- The fake, for editors and the Lua language server: see meta.lua.

---Clients for your own specs: the real one, without a network. `require "braze.fake"`.
---@class braze.fake
local fake = {}

---A client whose calls are answered as it expects. Options as of `braze.new`; none is needed, and the environment is
---not read.
---
---    local client = fake.new()
---    client:expect("create_send_id"):answers { send_id = "spring-sale" }
---    print(client:create_send_id({ campaign_id = "any" }).send_id)
---@param options? braze.options
---@return braze.fake.client
function fake.new(options) end

---Puts a client behind `braze.new` and the functions of `require "braze"`, in both styles. Returns a function that
---takes it away again, and the client.
---
---    local restore, client = fake.install()
---    client:expect "create_send_id"
---    braze.create_send_id { campaign_id = "any" }
---    restore()
---@param client? braze.fake.client left out: a new one
---@return fun() restore
---@return braze.fake.client client
function fake.install(client) end

---A client of `fake.new`: it has all that a client of `braze.new` has as well.
---@class braze.fake.client: braze.client
local faked = {}

---Expects a call. The first expectation that fits a request and is not used up answers it; a request that is sent again
---and fits none is answered as the one before.
---
---    client:expect("create_send_id", { campaign_id = "c" }):times(2)
---@param name braze.operation_name|string an operation, or `"METHOD /path"`
---@param params? table the parameters hold at least these
---@return braze.fake.expectation
function faked:expect(name, params) end

---The calls that were made, in their order.
---
---    print(#client:calls())
---@return braze.fake.call[]
function faked:calls() end

---Moves the time, which else stands still but for the pauses of a call. Started calls whose deadline passes end with a
---timeout, and a limit whose window ends begins again.
---
---    client:advance(30)
---@param seconds number
function faked:advance(seconds) end

---Ends one of the started calls that are under way; its `on_done` runs in `client:step`. `client:wait`, `request:wait`
---and `request:cancel` end them as well.
---
---    client:expect "create_send_id"
---    client:start("create_send_id", { campaign_id = "c" })
---    client:finish()
---@param n? integer which one, in the order in which they were started; default 1
function faked:finish(n) end

---Raises `usage` where something was called that was not expected, or expected and not called.
---
---    client:verify()
function faked:verify() end

---What a client of `fake.new` expects. Each method returns it again. Without any of them the answer is a success.
---@class braze.fake.expectation
local expectation = {}

---A success with these fields beside those that it has. `rate_limit`, `request_id`, `retry_at` and `next` come in the
---header of the answer, `body` is its text, and `status` its status.
---
---    client:expect("list_campaigns"):answers { campaigns = { { id = "c" } }, rate_limit = { remaining = 3 } }
---@param fields? table
---@return braze.fake.expectation
function expectation:answers(fields) end

---An answer with this status, and fields as of `answers`.
---
---    client:expect("send_messages"):status(429, { retry_at = os.time() + 60 })
---@param status integer 200 to 599
---@param fields? table
---@return braze.fake.expectation
function expectation:status(status, fields) end

---The call fails. `usage`, `busy` and `ledger` can't be made up, and neither can what contradicts itself.
---
---    client:expect("send_messages"):fails { kind = "timeout", maybe_applied = true }
---@param failure { kind: braze.kind, maybe_applied: boolean? }
---@return braze.fake.expectation
function expectation:fails(failure) end

---How many requests it answers. Default 1.
---
---    client:expect("create_send_id"):times(100)
---@param n integer
---@return braze.fake.expectation
function expectation:times(n) end

---A call that was made.
---@class braze.fake.call
---@field name string
---@field params table as the request had them
---@field options? table as they were given
---@field at number UTC epoch seconds
---@field attempts integer
