-- Certificates made by openssl at run time, good ones and such as nobody should trust.
--
--   local workshop = certificates.new() ; local server = workshop:make { san = "DNS:localhost" } ; workshop:remove()
--
-- { chain = path of the PEM that a server sends, key = path }. Times are given to the signing database of `openssl ca`.

local bar = require "spec.proof.bar"

local certificates = {}
local methods = {}
local metatable = { __index = methods }

local configuration = [[
[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[ca]
default_ca = one
[one]
database = %s/index
unique_subject = no
default_md = sha256
policy = any
rand_serial = yes
email_in_dn = no
copy_extensions = none
[any]
commonName = optional
]]

-- Runs a command in the workshop's folder; raises with what it printed if it fails.
function methods:run(command, ...)
  local output = bar.output_of(("cd %s && { %s; } 2>&1; echo status=$?"):format(self.directory, command:format(...)))
  if not output:find "status=0$" then error(command:format(...) .. "\n" .. output, 2) end
  return output
end

local keys = {
  ec = "openssl ecparam -name prime256v1 -genkey -noout -out %s", rsa = "openssl genrsa -out %s 2048",
  rsa1024 = "openssl genrsa -out %s 1024", rsa4096 = "openssl genrsa -out %s 4096",
    ed25519 = "openssl genpkey -algorithm ed25519 -out %s",
  p384 = "openssl ecparam -name secp384r1 -genkey -noout -out %s",
    weak = "openssl ecparam -name secp160r1 -genkey -noout -out %s",
}

local function name_of(workshop)
  workshop.made = workshop.made + 1
  return ("%s/%d"):format(workshop.directory, workshop.made)
end

-- Makes a certificate: { san =, cn =, key = kind, days = { from, to } in days from now, usage =, extensions = lines,
-- authority = whether it signs others, signer = another of these (or "self"), digest = "sha256" }.
function methods:make(given)
  local path = name_of(self)
  local lines = {}
  local function line(text, ...) lines[#lines + 1] = text:format(...) end
  if given.authority then
    line "basicConstraints = critical, CA:TRUE"
    if not given.extensions
      or not given.extensions:find "keyUsage" then line "keyUsage = critical, keyCertSign, cRLSign" end
  else
    line "basicConstraints = critical, CA:FALSE"
    line("extendedKeyUsage = %s", given.usage or "serverAuth")
  end
  if given.san then line("subjectAltName = %s", given.san) end
  if given.extensions then line("%s", (given.extensions:gsub("%%", "%%%%"))) end
  bar.write_file(path .. ".ext", table.concat(lines, "\n") .. "\n")
  self:run(keys[given.key or "ec"], path .. ".key")
  self:run("openssl req -new -key %s.key -config %s/openssl.cnf -subj '/CN=%s' -out %s.csr", path, self.directory,
    given.cn or "localhost", path)
  local days = given.days or { -1, 30 }
  local now = os.time()
  local function moment(day) return os.date("!%Y%m%d%H%M%SZ", now + day * 86400) end
  local signer = given.signer or self.authority
  local by = signer == "self" and ("-selfsign -keyfile %s.key"):format(path)
    or ("-cert %s.pem -keyfile %s.key"):format(signer.path, signer.path)
  self:run("openssl ca -batch -config openssl.cnf %s -in %s.csr -extfile %s.ext -md %s "
    .. "-startdate %s -enddate %s -notext -out %s.pem -outdir .",
    by, path, path, (given.key == "ed25519" and "null") or given.digest or "sha256", moment(days[1]), moment(days[2]),
      path)
  local chain = bar.read_file(path .. ".pem")
  for _, above in ipairs(given.send or {}) do chain = chain .. bar.read_file(above.path .. ".pem") end
  bar.write_file(path .. ".chain.pem", chain)
  return { path = path, pem = path .. ".pem", chain = path .. ".chain.pem", key = path .. ".key" }
end

function methods:remove()
  os.execute("rm -rf " .. bar.quote(self.directory))
end

-- A folder with an authority: ca_file, and ca_directory as openssl rehash lays it out.
function certificates.new()
  local directory = bar.output_of "mktemp -d"
  local workshop = setmetatable({ directory = directory, made = 0 }, metatable)
  bar.write_file(directory .. "/openssl.cnf", configuration:format(directory))
  bar.write_file(directory .. "/index", "")
  bar.write_file(directory .. "/index.attr", "")
  workshop.authority = workshop:make { authority = true, cn = "proof authority", signer = "self", days = { -1, 300 } }
  workshop.ca_file = workshop.authority.pem
  workshop.ca_directory = directory .. "/hashed"
  workshop:run("mkdir hashed && cp %s hashed/ && openssl rehash hashed", workshop.authority.pem)
  return workshop
end

return certificates
