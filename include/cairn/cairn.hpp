// Everything that a program includes.
#pragma once

#include "asio.hpp"
#include "clone.hpp"
#include "file_store.hpp"
#include "journal.hpp"
#include "memory_store.hpp"
#include "run.hpp"
#include "sink.hpp"
#include "source.hpp"
#include "version.hpp"
