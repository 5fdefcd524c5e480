-- A call of each operation for specs: what is given, the request that has to leave, and an answer that is a success.
--
--   { name, parameters, target, body or nil, answer }
-- The method is the row's own (braze.operations).

return {
  {
    "create_send_id", { campaign_id = "c", send_id = "mine" }, "/sends/id/create",
    { campaign_id = "c", send_id = "mine" }, '{"message":"success","send_id":"mine"}',
  },
  {
    "send_messages",
    { campaign_id = "c", send_id = "mine", external_user_ids = { "u1", "u2" }, override_frequency_capping = true,
      messages = { email = { app_id = "a", body = "hello" } } },
    "/messages/send",
    { campaign_id = "c", send_id = "mine", external_user_ids = { "u1", "u2" }, override_frequency_capping = true,
      messages = { email = { app_id = "a", body = "hello" } } },
    '{"message":"success","dispatch_id":"d"}',
  },
  {
    "trigger_campaign",
    { campaign_id = "c", broadcast = false,
      recipients = { { external_user_id = "u", trigger_properties = { price = 12.5 } } } },
    "/campaigns/trigger/send",
    { campaign_id = "c", broadcast = false,
      recipients = { { external_user_id = "u", trigger_properties = { price = 12.5 } } } },
    '{"message":"success","dispatch_id":"d"}',
  },
  {
    "schedule_messages", { segment_id = "s", broadcast = true, schedule = { time = "2026-03-01T09:00:00Z" } },
    "/messages/schedule/create", { segment_id = "s", broadcast = true, schedule = { time = "2026-03-01T09:00:00Z" } },
    '{"message":"success","schedule_id":"x","dispatch_id":"d"}',
  },
  {
    "update_scheduled_messages", { schedule_id = "x", schedule = { time = "2026-03-02T09:00:00Z" } },
    "/messages/schedule/update", { schedule_id = "x", schedule = { time = "2026-03-02T09:00:00Z" } },
    '{"message":"success"}',
  },
  {
    "delete_scheduled_messages", { schedule_id = "x" }, "/messages/schedule/delete", { schedule_id = "x" },
    '{"message":"success"}',
  },
  {
    "schedule_campaign",
    { campaign_id = "c", schedule = { time = "2026-03-01T09:00:00Z" }, trigger_properties = { a = "b" } },
    "/campaigns/trigger/schedule/create",
    { campaign_id = "c", schedule = { time = "2026-03-01T09:00:00Z" }, trigger_properties = { a = "b" } },
    '{"message":"success","schedule_id":"x"}',
  },
  {
    "update_scheduled_campaign", { campaign_id = "c", schedule_id = "x", schedule = { time = "2026-03-02T09:00:00Z" } },
    "/campaigns/trigger/schedule/update",
    { campaign_id = "c", schedule_id = "x", schedule = { time = "2026-03-02T09:00:00Z" } }, '{"message":"success"}',
  },
  {
    "delete_scheduled_campaign", { campaign_id = "c", schedule_id = "x" }, "/campaigns/trigger/schedule/delete",
    { campaign_id = "c", schedule_id = "x" }, '{"message":"success"}',
  },
  {
    "get_send_analytics", { campaign_id = "c", send_id = "a b", length = 7, ending_at = "2026-03-01T09:00:00+01:00" },
    "/sends/data_series?campaign_id=c&send_id=a%20b&length=7&ending_at=2026-03-01T09%3A00%3A00%2B01%3A00", nil,
    '{"message":"success","data":[]}',
  },
  {
    "list_campaigns",
    { page = 2, include_archived = true, sort_direction = "asc", ["last_edit.time[gt]"] = "2026-03-01T09:00:00" },
    "/campaigns/list?page=2&include_archived=true&sort_direction=asc"
      .. "&last_edit.time%5Bgt%5D=2026-03-01T09%3A00%3A00",
    nil, '{"message":"success","campaigns":[]}',
  },
  {
    "get_campaign", { campaign_id = "a&b=c", post_launch_draft_version = false },
    "/campaigns/details?campaign_id=a%26b%3Dc&post_launch_draft_version=false", nil, '{"message":"success","name":"n"}',
  },
  {
    "list_scheduled_broadcasts", { end_time = "2026-03-01" }, "/messages/scheduled_broadcasts?end_time=2026-03-01", nil,
    '{"scheduled_broadcasts":[]}',
  },
  {
    "send_transactional",
    { campaign_id = "a/b \195\164?", external_send_id = "mine", recipient = { external_user_id = "u" } },
    "/transactional/v1/campaigns/a%2Fb%20%C3%A4%3F/send",
    { external_send_id = "mine", recipient = { external_user_id = "u" } },
    '{"dispatch_id":"d","status":"sent","metadata":{}}',
  },
}
