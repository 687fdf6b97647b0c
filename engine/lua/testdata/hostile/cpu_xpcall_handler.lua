-- expect: limit
while true do xpcall(function() error('a') end, function() while true do end end) end
