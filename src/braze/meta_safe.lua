---@meta braze

-- The style of braze.safe, and the modules for hosts, for editors and the Lua language server. What raises, and blocks,
-- is declared in the file meta.lua beside this one.

---The module in the style of `cjson.safe`: what would raise returns `nil, err`.
---
---    local result, err = braze.safe.create_send_id { campaign_id = "no-such-campaign" }
---    if not result then print(err.kind, err.message) end
---@class braze.safe: braze.safe.functions
---@field _VERSION string
---@field instances table<string, string>
local safe = {}

---The result, or nil and the error.
---@param params braze.create_send_id.params
---@param options? braze.call_options
---@return braze.create_send_id.result? result
---@return braze.error? err
function safe.create_send_id(params, options) end

---A client whose methods return `nil, err` too; or nil and an error of kind `usage`.
---@param options? braze.options
---@return braze.safe.client? client
---@return braze.error? err
function safe.new(options) end

---Whether the value is one of this module's error objects.
---@param value any
---@return boolean
---@nodiscard
function safe.is_error(value) end

---An error object for your own specs; or nil and an error of kind `usage` for an unknown kind.
---@param fields braze.error.fields
---@return braze.error? made
---@return braze.error? err
function safe.error(fields) end

---The same in the style of `cjson.safe`: a ledger, or nil and an error of kind `usage`.
---@param url? string
---@param workspace? string
---@return braze.safe.ledger? ledger
---@return braze.error? err
function safe.ledger(url, workspace) end

---The same, returning nil and the error where those raise.
---@class braze.safe.functions
---Calls an operation by its name, or any other endpoint as `"METHOD /path"`.
---@field call fun(name: braze.operation_name|string, params?: table, options?: braze.call_options): braze.result?, braze.error?
---What completion, documentation and tools are made from: each operation by its name.
---@field operations table<braze.operation_name, braze.operation>
---A JSON null: it unsets a user's attribute, say.
---@field null userdata
---Marks a table as a JSON array, also when it is empty, and returns it.
---@field list fun(items?: any[]): any[]?, braze.error?
---Sends messages at once to users, segments or an audience. Never sent a second time by itself.
---
---[send_messages](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_send_messages/)
---@field send_messages fun(params: braze.send_messages.params, options?: braze.call_options): braze.send.result?, braze.error?
---Sends a campaign with API-triggered delivery. Never sent a second time by itself.
---
---[trigger_campaign](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_send_triggered_campaigns/)
---@field trigger_campaign fun(params: braze.trigger_campaign.params, options?: braze.call_options): braze.send.result?, braze.error?
---Makes a schedule for messages. Never sent a second time by itself.
---
---[schedule_messages](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_schedule_messages/)
---@field schedule_messages fun(params: braze.schedule_messages.params, options?: braze.call_options): braze.schedule.result?, braze.error?
---Replaces time or messages of a schedule.
---
---[update_scheduled_messages](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_update_scheduled_messages/)
---@field update_scheduled_messages fun(params: braze.update_scheduled_messages.params, options?: braze.call_options): braze.result?, braze.error?
---Deletes a schedule of messages.
---
---[delete_scheduled_messages](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_delete_scheduled_messages/)
---@field delete_scheduled_messages fun(params: braze.delete_scheduled_messages.params, options?: braze.call_options): braze.result?, braze.error?
---Makes a schedule for a campaign with API-triggered delivery. Never sent a second time by itself.
---
---[schedule_campaign](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_schedule_triggered_campaigns/)
---@field schedule_campaign fun(params: braze.schedule_campaign.params, options?: braze.call_options): braze.schedule.result?, braze.error?
---Replaces the schedule of a campaign with API-triggered delivery.
---
---[update_scheduled_campaign](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_update_scheduled_triggered_campaigns/)
---@field update_scheduled_campaign fun(params: braze.update_scheduled_campaign.params, options?: braze.call_options): braze.result?, braze.error?
---Deletes the schedule of a campaign with API-triggered delivery.
---
---[delete_scheduled_campaign](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_delete_scheduled_triggered_messages/)
---@field delete_scheduled_campaign fun(params: braze.delete_scheduled_campaign.params, options?: braze.call_options): braze.result?, braze.error?
---Reads a send's numbers, day by day. Braze keeps them for 14 days.
---
---[get_send_analytics](https://www.braze.com/docs/api/endpoints/export/campaigns/get_send_analytics/)
---@field get_send_analytics fun(params: braze.get_send_analytics.params, options?: braze.call_options): braze.send_analytics.result?, braze.error?
---Reads a page of the campaigns' list; `client:each` reads them all.
---
---[list_campaigns](https://www.braze.com/docs/api/endpoints/export/campaigns/get_campaigns/)
---@field list_campaigns fun(params?: braze.list_campaigns.params, options?: braze.call_options): braze.campaigns.result?, braze.error?
---Reads what a campaign is made of.
---
---[get_campaign](https://www.braze.com/docs/api/endpoints/export/campaigns/get_campaign_details/)
---@field get_campaign fun(params: braze.get_campaign.params, options?: braze.call_options): braze.result?, braze.error?
---Reads the campaigns and Canvases that are scheduled in the dashboard.
---
---[list_scheduled_broadcasts](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/get_messages_scheduled/)
---@field list_scheduled_broadcasts fun(params: braze.list_scheduled_broadcasts.params, options?: braze.call_options): braze.scheduled_broadcasts.result?, braze.error?
---Sends one transactional email. With `external_send_id` a repeat within 24 hours sends no second one.
---
---[send_transactional](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_send_transactional_message/)
---@field send_transactional fun(params: braze.send_transactional.params, options?: braze.call_options): braze.transactional.result?, braze.error?

---A request whose methods return `nil, err` where those of `braze.request` raise.
---@class braze.safe.request: braze.request
local safe_request = {}

---The result, or nil and the error.
---@return braze.result? result
---@return braze.error? err
function safe_request:result() end

---Waits until it is done, or until so many seconds have passed; nil and an error of kind `usage` where it can't.
---@param seconds? number as long as it takes, if left out
---@return boolean? done
---@return braze.error? err
function safe_request:wait(seconds) end

---A client whose methods return `nil, err` where those of `braze.client` raise.
---@class braze.safe.client: braze.client, braze.safe.methods
local safe_client = {}

---Makes a send ID and waits for it: the result, or nil and the error.
---
---[Create send IDs](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_create_send_ids/)
---@param params braze.create_send_id.params
---@param options? braze.call_options
---@return braze.create_send_id.result? result
---@return braze.error? err
function safe_client:create_send_id(params, options) end

---Begins a call and returns at once: a request, or nil and an error of kind `usage`.
---@param name braze.operation_name|string an operation, or `"METHOD /path"`
---@param params? table
---@param options? braze.start_options
---@return braze.safe.request? request
---@return braze.error? err
function safe_client:start(name, params, options) end

---Waits and delivers until nothing is pending, or until so many seconds have passed.
---@param seconds? number as long as it takes, if left out
---@return boolean? delivered whether nothing is pending
---@return braze.error? err
function safe_client:wait(seconds) end

---Runs the `on_done` of what has finished. Never waits. Raises what an `on_done` raised, after all have run.
---@param most? integer deliver so many at most; all that have finished, if left out
---@return integer? delivered
---@return braze.error? err
function safe_client:step(most) end

---The same, returning nil and the error where those raise.
---@class braze.safe.methods
---Calls an operation by its name, or any other endpoint as `"METHOD /path"`.
---@field call fun(self, name: braze.operation_name|string, params?: table, options?: braze.call_options): braze.result?, braze.error?
---The items of a list, page by page, for a generic `for`; the iterator returns nil and the error where a page fails, so call it yourself.
---
---    local next_campaign = client:each("list_campaigns")
---    local campaign, err = next_campaign()
---    while campaign do campaign, err = next_campaign() end
---    if err then print(err) end
---@field each fun(self, name: braze.operation_name|string, params?: table, options?: braze.each_options): (fun(): any, braze.error?)?, braze.error?
---Sends messages at once to users, segments or an audience. Never sent a second time by itself.
---
---[send_messages](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_send_messages/)
---@field send_messages fun(self, params: braze.send_messages.params, options?: braze.call_options): braze.send.result?, braze.error?
---Sends a campaign with API-triggered delivery. Never sent a second time by itself.
---
---[trigger_campaign](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_send_triggered_campaigns/)
---@field trigger_campaign fun(self, params: braze.trigger_campaign.params, options?: braze.call_options): braze.send.result?, braze.error?
---Makes a schedule for messages. Never sent a second time by itself.
---
---[schedule_messages](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_schedule_messages/)
---@field schedule_messages fun(self, params: braze.schedule_messages.params, options?: braze.call_options): braze.schedule.result?, braze.error?
---Replaces time or messages of a schedule.
---
---[update_scheduled_messages](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_update_scheduled_messages/)
---@field update_scheduled_messages fun(self, params: braze.update_scheduled_messages.params, options?: braze.call_options): braze.result?, braze.error?
---Deletes a schedule of messages.
---
---[delete_scheduled_messages](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_delete_scheduled_messages/)
---@field delete_scheduled_messages fun(self, params: braze.delete_scheduled_messages.params, options?: braze.call_options): braze.result?, braze.error?
---Makes a schedule for a campaign with API-triggered delivery. Never sent a second time by itself.
---
---[schedule_campaign](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_schedule_triggered_campaigns/)
---@field schedule_campaign fun(self, params: braze.schedule_campaign.params, options?: braze.call_options): braze.schedule.result?, braze.error?
---Replaces the schedule of a campaign with API-triggered delivery.
---
---[update_scheduled_campaign](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_update_scheduled_triggered_campaigns/)
---@field update_scheduled_campaign fun(self, params: braze.update_scheduled_campaign.params, options?: braze.call_options): braze.result?, braze.error?
---Deletes the schedule of a campaign with API-triggered delivery.
---
---[delete_scheduled_campaign](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/post_delete_scheduled_triggered_messages/)
---@field delete_scheduled_campaign fun(self, params: braze.delete_scheduled_campaign.params, options?: braze.call_options): braze.result?, braze.error?
---Reads a send's numbers, day by day. Braze keeps them for 14 days.
---
---[get_send_analytics](https://www.braze.com/docs/api/endpoints/export/campaigns/get_send_analytics/)
---@field get_send_analytics fun(self, params: braze.get_send_analytics.params, options?: braze.call_options): braze.send_analytics.result?, braze.error?
---Reads a page of the campaigns' list; `client:each` reads them all.
---
---[list_campaigns](https://www.braze.com/docs/api/endpoints/export/campaigns/get_campaigns/)
---@field list_campaigns fun(self, params?: braze.list_campaigns.params, options?: braze.call_options): braze.campaigns.result?, braze.error?
---Reads what a campaign is made of.
---
---[get_campaign](https://www.braze.com/docs/api/endpoints/export/campaigns/get_campaign_details/)
---@field get_campaign fun(self, params: braze.get_campaign.params, options?: braze.call_options): braze.result?, braze.error?
---Reads the campaigns and Canvases that are scheduled in the dashboard.
---
---[list_scheduled_broadcasts](https://www.braze.com/docs/api/endpoints/messaging/schedule_messages/get_messages_scheduled/)
---@field list_scheduled_broadcasts fun(self, params: braze.list_scheduled_broadcasts.params, options?: braze.call_options): braze.scheduled_broadcasts.result?, braze.error?
---Sends one transactional email. With `external_send_id` a repeat within 24 hours sends no second one.
---
---[send_transactional](https://www.braze.com/docs/api/endpoints/messaging/send_messages/post_send_transactional_message/)
---@field send_transactional fun(self, params: braze.send_transactional.params, options?: braze.call_options): braze.transactional.result?, braze.error?

---A client of a module for a host: its loop delivers, so there is no `step` and no descriptor.
---@class braze.yielding.client: braze.any_client

---A client of a module for a host whose methods return `nil, err` where those of `braze.yielding.client` raise.
---@class braze.yielding.safe.client: braze.yielding.client, braze.safe.methods
local yielding_safe_client = {}

---Makes a send ID and waits for it: the result, or nil and the error.
---@param params braze.create_send_id.params
---@param options? braze.call_options
---@return braze.create_send_id.result? result
---@return braze.error? err
function yielding_safe_client:create_send_id(params, options) end

---Begins a call and returns at once: a request, or nil and an error of kind `usage`.
---@param name braze.operation_name|string an operation, or `"METHOD /path"`
---@param params? table
---@param options? braze.start_options
---@return braze.safe.request? request
---@return braze.error? err
function yielding_safe_client:start(name, params, options) end

---Waits until nothing is pending, or until so many seconds have passed.
---@param seconds? number as long as it takes, if left out
---@return boolean? delivered whether nothing is pending
---@return braze.error? err
function yielding_safe_client:wait(seconds) end

---A module for a host: `braze.openresty`, which `require "braze"` gives in nginx, `braze.luv`, `braze.cqueues`,
---`braze.copas`. Where a function of `braze` blocks its thread, here only the coroutine waits; where no coroutine can
---wait, an error of kind `usage` is raised and nothing is sent.
---@class braze.yielding: braze
---@field new fun(options?: braze.options): braze.yielding.client
---@field safe braze.yielding.safe

---A module for a host in the style of `cjson.safe`.
---@class braze.yielding.safe: braze.safe
---@field new fun(options?: braze.options): braze.yielding.safe.client?, braze.error?
