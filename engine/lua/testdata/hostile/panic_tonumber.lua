-- expect: value
return (pcall(tonumber, '0x')) ~= nil and (pcall(tonumber, 'z', 99)) ~= nil
