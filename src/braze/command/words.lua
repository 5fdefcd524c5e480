-- What the help and the manual of the command say of each operation and of each of its fields. What a field is called,
-- of which type it is and whether it is required stands in braze.operations.

local words = {}

-- In the order in which the help has them.
words.operations = {
  { "create_send_id", "Makes a send ID." },
  { "send_messages", "Sends messages at once to users, segments or an audience. Never sent a second time by itself." },
  { "trigger_campaign", "Sends a campaign with API-triggered delivery. Never sent a second time by itself." },
  { "schedule_messages", "Makes a schedule for messages. Never sent a second time by itself." },
  { "update_scheduled_messages", "Replaces time or messages of a schedule." },
  { "delete_scheduled_messages", "Deletes a schedule of messages." },
  {
    "schedule_campaign",
    "Makes a schedule for a campaign with API-triggered delivery. Never sent a second time by itself.",
  },
  { "update_scheduled_campaign", "Replaces the schedule of a campaign with API-triggered delivery." },
  { "delete_scheduled_campaign", "Deletes the schedule of a campaign with API-triggered delivery." },
  { "get_send_analytics", "Reads a send's numbers, day by day. Braze keeps them for 14 days." },
  { "list_campaigns", "Reads a page of the campaigns' list. The command \"each\" reads them all." },
  { "get_campaign", "Reads what a campaign is made of." },
  { "list_scheduled_broadcasts", "Reads the campaigns and Canvases that are scheduled in the dashboard." },
  {
    "send_transactional",
    "Sends one transactional email. With --external-send-id a repeat within 24 hours sends no second one.",
  },
}

words.fields = {
  attachments = "files to send along, each with file_name and url",
  audience = "who receives it, as a filter of Braze's",
  broadcast = "send to the whole segment; needs --yes",
  campaign_id = "the Campaign API Identifier, at the foot of the campaign's page in the dashboard",
  end_time = "list what is due before this time, as 2026-03-01T09:00:00Z",
  ending_at = "the last day, as 2026-03-01T09:00:00Z; today, if left out",
  external_send_id = "a name of your own for this message: with it a repeat within 24 hours sends no second one",
  external_user_ids = "who receives it: user IDs",
  include_archived = "list archived campaigns as well",
  include_has_translatable_content = "say as well whether there is anything to translate",
  ["last_edit.time[gt]"] = "list what was changed after this time, as 2026-03-01T09:00:00Z",
  length = "the number of days, 1 to 100",
  messages = "what to send, for each channel",
  override_frequency_capping = "send although a user's share is used up",
  override_messaging_limits = "send although a limit of the campaign's is reached",
  page = "which page, counted from 0",
  post_launch_draft_version = "read the draft that was made after the launch",
  recipient = "who receives it: {\"external_user_id\": \"user-1\"}",
  recipient_subscription_state = "opted_in, subscribed or all",
  recipients = "who receives it: [{\"external_user_id\": \"user-1\"}]",
  schedule = "when it is due: {\"time\": \"2026-03-01T09:00:00Z\"}",
  schedule_id = "the schedule_id that the call which made the schedule returned",
  segment_id = "send to this segment; needs --yes",
  send_id = "1 to 64 printable ASCII characters: a name of your own for a new send ID, or one that was made before",
  sort_direction = "asc (oldest first) or desc",
  trigger_properties = "values for the campaign's text",
  user_aliases = "who receives it: aliases, each with alias_name and alias_label",
}

-- A name of braze.operations as it is typed in a shell: "campaign-id", "last-edit-time-gt".
function words.typed(name)
  return (name:gsub("[^%w]+", "-"):gsub("%-$", ""))
end

return words
