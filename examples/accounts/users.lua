--- Who may log in. A real application asks its database, which may wait; what it keeps of a
--- password is the same: a hash that tide.auth.hash_password made once.

local tide <const> = require "tidegate"

local users <const> = {
  ann = { id = "ann", username = "Ann", password = tide.auth.hash_password "gently" },
  bob = { id = "bob", username = "Bob", password = tide.auth.hash_password "breeze" },
}

--- What is compared for a name that is nobody's: that takes as long, so time tells no names.
local nobodys <const> = tide.auth.hash_password "a password that nobody has"

local Users <const> = {}

--- What others may know of a user; nil for an id that is nobody's.
function Users.find(id)
  local user <const> = users[id]
  return user and { id = user.id, username = user.username }
end

--- The user with this name and password, or nil.
function Users.verify(name, password)
  local user <const> = users[name:lower()]
  local is_right <const> = tide.auth.check(password, user and user.password or nobodys)
  return user and is_right and Users.find(user.id) or nil
end

return Users
