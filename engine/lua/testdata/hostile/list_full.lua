-- expect: script
-- A value appended to a full list could not be read.
local t = {}
t[524286] = 1
table.insert(t, 2)
assert(#t == 524287 and t[524287] == 2)
table.insert(t, 3)
