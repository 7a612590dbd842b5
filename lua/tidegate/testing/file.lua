--- What the kit asks of the files around it.

local File <const> = {}

---@param path string
---@return boolean # it is there, and can be read
function File.exists(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

return File
