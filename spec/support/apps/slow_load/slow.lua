-- A module that never ends loading, whatever is raised in it.
while true do
  pcall(function()
    while true do
      local _ <const> = 1
    end
  end)
end
