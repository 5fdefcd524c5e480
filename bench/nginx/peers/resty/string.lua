-- In place of lua-resty-string, which Debian 12 does not have: all that lua-resty-http wants of it.
return {
  to_hex = function(text)
    return (text:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
  end,
}
