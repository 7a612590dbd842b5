-- A module that takes more than any limit while it loads.
local hog <const> = {}
for i = 1, math.huge do
  hog[i] = { i }
end
return hog
