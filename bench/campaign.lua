-- What the programs of the subject "send" send: a trigger_campaign for 50 recipients, 50 KB as JSON, of what such calls
-- have in them: names, texts, prices, times, flags, a list. It is made once; what is timed is to send it.

local campaign = {}

local recipients, lines = 50, 5

local function product(number)
  return {
    sku = ("A-%05d"):format(number), title = ("Product number %d, in \"blue\""):format(number),
    price = number % 97 + 0.5, count = number % 5 + 1, in_stock = number % 3 > 0, tags = { "spring", "sale" },
    url = "https://shop.example/products/" .. number,
  }
end

function campaign.parameters()
  local list = {}
  for number = 1, recipients do
    local products = {}
    for line = 1, lines do products[line] = product(number * lines + line) end
    list[number] = {
      external_user_id = ("user-%08d"):format(number), send_to_existing_only = true,
      trigger_properties = {
        name = "Zo\195\171 Example", city = "M\195\188nchen", ordered_at = "2026-03-01T09:00:00+01:00",
        total = number * 1.25, products = products,
      },
    }
  end
  return {
    campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b", broadcast = false,
    trigger_properties = { season = "spring" }, recipients = list,
  }
end

-- The same with nobody in it: what is made once is there afterwards.
function campaign.small()
  return { campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b", broadcast = false }
end

-- Times `send`, one after the other, or measures what it needs beside what is there: arguments CALLS WARM_UP [memory].
-- send(parameters) is true if the answer was good. Prints one line of JSON.
function campaign.run(name, version, now, send)
  local calls, warm_up, what = tonumber(arg[1]), tonumber(arg[2]), arg[3]
  local parameters, bad, wall, cpu = campaign.parameters(), 0, nil, nil
  if what == "memory" then
    local allocations = require "allocations"
    assert(send(campaign.small()))
    collectgarbage()
    collectgarbage()
    allocations.mark()
    if not send(parameters) then bad = bad + 1 end
    local ours, all = allocations.peak()
    print(('{"peer":"%s","bad":%d,"ours":%d,"all":%d}'):format(name, bad, ours, all))
    return
  end
  for number = 1 - warm_up, calls do
    if number == 1 then wall, cpu = now(), os.clock() end
    if not send(parameters) then bad = bad + 1 end
  end
  cpu, wall = os.clock() - cpu, now() - wall
  print(('{"peer":"%s","version":"%s","n":%d,"bad":%d,"wall_us":%.3f,"cpu_us":%.3f}'):format(name, version, calls, bad,
    wall / calls * 1e6, cpu / calls * 1e6))
end

return campaign
