// Nothing: the bearer of the precompiled headers (cmake/rooms.cmake).
